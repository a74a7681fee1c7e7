"""Small faults in a design, one at a time: what a testbench, and a verifier, must tell from the original.

A mutant differs from its original in one token or one statement, in the ways in which designs go wrong: a wrong
operator, edge, constant, bit, branch or condition, a lost inversion, a lost statement. Not every mutant is a fault
(some compute the same); whoever counts survivors asks `formal` which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:[^\"\\\n]|\\.)*\"|\(\*(?!\s*\)).*?\*\)"
    r"|\\\S+|[A-Za-z_$`][\w$]*|\d*\s*'[sS]?[bodhBODH]\s*[0-9a-fA-FxXzZ?_]+|\d[\d_]*"
    r"|<<<|>>>|===|!==|<<|>>|<=|>=|==|!=|&&|\|\||~&|~\||~\^|\^~|->|\*\*|[-+*/%&|^~!<>?:=@#.,;(){}\[\]]",
    re.DOTALL,
)
_SWAPS: dict[str, tuple[str, ...]] = {
    "&": ("|",), "|": ("&",), "^": ("|", "&"), "&&": ("||",), "||": ("&&",), "+": ("-",), "-": ("+",),
    "==": ("!=",), "!=": ("==",), "<": (">=",), ">": ("<=",), ">=": ("<",), "<<": (">>",), ">>": ("<<",),
    ">>>": (">>",), "~^": ("^",), "posedge": ("negedge",), "negedge": ("posedge",), "===": ("!==",),
}  # fmt: skip
_UNARY = ("&", "|", "^", "~^", "+", "-", "<", ">")
"""Operators that may also stand before an operand."""
_KEYWORDS = frozenset(
    ("assign", "parameter", "localparam", "reg", "wire", "logic", "integer", "int", "bit", "genvar", "typedef", "enum",
     "for", "return", "if", "else", "begin", "case", "casez", "casex", "input", "output", "byte", "case", "always",
     "initial", "function", "task", "generate", "defparam")
)  # fmt: skip
_BEFORE_OPERAND = re.compile(r"[\w$)\]}'\"]$")
_MAX_WIDTH = 64


@dataclass(frozen=True, slots=True)
class Mutant:
    """A design with one fault."""

    source: str
    kind: str
    """`operator`, `constant`, `inversion`, `branch`, `edge`, `statement` or `select`."""
    line: int
    change: str
    """What became what."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int


def mutants(source: str, rng: np.random.Generator | None = None, limit: int | None = None) -> list[Mutant]:
    """Return all mutants, or `limit` of them drawn evenly over their kinds. None equals the source or another."""
    seen = {source}
    found = []
    for mutant in _all(source):
        if mutant.source not in seen:
            seen.add(mutant.source)
            found.append(mutant)
    if limit is None or len(found) <= limit:
        return found
    assert rng is not None, "a limit needs a random generator"
    by_kind: dict[str, list[Mutant]] = {}
    for index in rng.permutation(len(found)):
        by_kind.setdefault(found[index].kind, []).append(found[index])
    chosen: list[Mutant] = []
    while len(chosen) < limit:
        for group in by_kind.values():
            if group and len(chosen) < limit:
                chosen.append(group.pop())
    return chosen


def _all(source: str) -> Iterator[Mutant]:
    tokens = [
        _Token(match.group(), match.start(), match.end())
        for match in _TOKEN.finditer(source)
        if not match.group().startswith(("//", "/*", '"', "(*"))
    ]
    start, assigned, header, round_, square = 0, False, True, 0, 0
    for index, token in enumerate(tokens):
        text = token.text
        if text == "module":
            header = True
        if not header:
            place = _Place(source, tokens, index, start, assigned=assigned, parentheses=round_, brackets=square)
            yield from place.mutants()
        round_ += (text == "(") - (text == ")")
        square += (text == "[") - (text == "]")
        if text in ("=", "<=") and not round_ and not square:
            assigned = True
        ends_case_label = text == ":" and not assigned and not square
        if text in (";", "begin", "end", "else", "endmodule", "endcase") or ends_case_label:
            start, assigned = index + 1, False
            header = header and text != ";"
        elif text == ")" and not round_ and not assigned and _opens_body(tokens, start):
            start = index + 1


def _opens_body(tokens: Sequence[_Token], start: int) -> bool:
    return tokens[start].text in ("if", "for", "while", "case", "casez", "casex", "always", "always_ff", "initial")


@dataclass(frozen=True, slots=True)
class _Place:
    """One token and what is known of its surroundings."""

    source: str
    tokens: Sequence[_Token]
    index: int
    start: int
    """Index of the first token of the statement."""
    assigned: bool
    """Whether the statement's assignment operator has come already."""
    parentheses: int
    brackets: int

    def mutants(self) -> Iterator[Mutant]:
        """Yield the faults that this token can have."""
        token, text = self.tokens[self.index], self.tokens[self.index].text
        before, after = self._text(self.index - 1), self._text(self.index + 1)
        binary = bool(_BEFORE_OPERAND.search(before)) and before not in _KEYWORDS
        assignment = text in ("<=", "=") and not (self.assigned or self.parentheses or self.brackets)
        if assignment:
            yield from self._without_statement()
        elif text in ("posedge", "negedge"):
            yield self._replace(token.start, token.end, _SWAPS[text][0], "edge")
        elif text in _SWAPS and not self.brackets and (binary or text not in _UNARY):
            for other in _SWAPS[text]:
                yield self._replace(token.start, token.end, other, "operator")
        elif text in ("~", "!") and not binary:
            yield self._replace(token.start, token.end, "", "inversion")
        elif text == "if" and after == "(" and (closing := self._closing(self.index + 1)) is not None:
            condition = self.source[self.tokens[self.index + 1].end : closing.start]
            yield self._replace(token.start, closing.end, f"if (!({condition}))", "branch")
        elif text == "?" and not self.brackets:
            yield self._replace(token.start, token.end, "== 0 ?", "branch")
        elif text[0].isdigit() or text[0] == "'":
            yield from self._constant(before, after)

    def _text(self, index: int) -> str:
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def _replace(self, start: int, end: int, text: str, kind: str) -> Mutant:
        changed = self.source[:start] + text + self.source[end:]
        line = self.source.count("\n", 0, start) + 1
        was = " ".join(self.source[start:end].split())
        return Mutant(changed, kind, line, f"{was} -> {text}" if text else f"{was} left out")

    def _closing(self, index: int) -> _Token | None:
        depth = 0
        for token in self.tokens[index:]:
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0:
                return token
        return None

    def _without_statement(self) -> Iterator[Mutant]:
        first = self.tokens[self.start]
        if not re.match(r"[A-Za-z_{\\]", first.text) or first.text in _KEYWORDS:
            return
        end = next((token for token in self.tokens[self.index :] if token.text == ";"), None)
        if end is not None:
            yield self._replace(first.start, end.end, ";", "statement")

    def _constant(self, before: str, after: str) -> Iterator[Mutant]:
        token = self.tokens[self.index]
        if before == "#" or (self.brackets and not (before == "[" and after == "]")):
            return
        other = _next_constant(token.text)
        if other is not None:
            yield self._replace(token.start, token.end, other, "select" if self.brackets else "constant")


def _next_constant(text: str) -> str | None:
    """Return the literal of the next value, of the same width and base; None when it has unknown bits."""
    width, quote, rest = text.replace(" ", "").partition("'")
    if not quote:
        return str(int(text.replace("_", "")) + 1)
    rest = rest.lstrip("sS")
    base = {"b": 2, "o": 8, "d": 10, "h": 16}[rest[0].lower()]
    digits = rest[1:].replace("_", "")
    if not re.fullmatch(r"[0-9a-fA-F]+", digits):
        return None
    size = int(width) if width else 32
    value = (int(digits, base) + 1) % (1 << size)
    return f"{width}'d{value}" if size <= _MAX_WIDTH else None
