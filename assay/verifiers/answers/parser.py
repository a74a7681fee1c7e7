r"""Parse a whole answer: lists, relations, sets, matrices, quantities and words around expressions.

    parse(r"x \\in (-1, 2]")     -> Relation((Sym x, Group(...)), ("in",))
    parse("5 cm"), parse("3, 4 and 5"), parse("x + 1 = y")

All of the text is consumed or `AnswerSyntaxError` is raised: an answer of which only a part can be read is not read.
"""

from __future__ import annotations

import re

from assay.verifiers.answers import choices
from assay.verifiers.answers.cursor import items_of
from assay.verifiers.answers.lexer import AnswerSyntaxError, Token, tokenize
from assay.verifiers.answers.measures import PREFIXED, QUALIFIER_WORDS, MeasureParser, compound
from assay.verifiers.answers.nodes import (
    Builder,
    Call,
    Group,
    Listing,
    Node,
    NumberSet,
    Qualified,
    Ratio,
    Relation,
    SetOf,
    SetOperation,
    Text,
    number,
)
from assay.verifiers.answers.spelled import spelled
from assay.verifiers.answers.tables import MAX_ITEMS

_RELATIONS = frozenset(
    ("=", "<", ">", "le", "ge", "ne", "approx", "equiv", "in", "notin", "to", "sim", "parallel", "perp")
)
_SAME_SETS = {
    "Z>0": "Z+", "N+": "Z+", "N*": "Z+", "N>0": "Z+", "Nge1": "Z+", "Zge1": "Z+", "Zge0": "N0", "Nge0": "N0",
    "R>0": "R+", "R<0": "R-",
}  # fmt: skip
"""Spellings of the positive integers, and so on; whether N itself holds 0 is left open."""
_VERBS = frozenset(("is", "are", "has", "have", "was", "were", "equals", "gets"))
_DOUBTS = frozenset(
    ("not", "maybe", "perhaps", "probably", "possibly", "might", "either", "neither", "nor", "about", "approximately",
     "almost", "least", "most", "less", "more", "than", "greater", "under", "over", "between", "except", "without",
     "no", "never", "if", "or", "any", "cannot", "can't", "isn't", "aren't", "hasn't")
)  # fmt: skip
_EXCEPT = re.compile(r"(?:all )?(?:the )?real (?:numbers|x|values)(?: x)? (?:except|excluding|other than)(?: for)?")
_ROMAN = re.compile(r"\(?(?:i{2,3}|iv|vi{0,3}|ix|xi{1,3}|I{2,3}|IV|VI{1,3}|IX|XI{1,3})\)?")
_MONTHS = frozenset(
    ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
     "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec")
)  # fmt: skip
_NOUNS = frozenset(
    ("center", "centre", "radius", "diameter", "maximum", "minimum", "length", "width", "height", "area", "perimeter",
     "volume", "slope", "vertex", "focus", "foci", "directrix", "amplitude", "period", "mean", "median", "mode",
     "range", "domain", "quotient", "remainder", "speed", "distance", "sum", "product", "difference", "total", "axis",
     "eccentricity", "circumference")
)  # fmt: skip
"""What a value may be called by a single word before it."""
_DISCOURSE = frozenset(
    ("therefore", "thus", "hence", "so", "then", "since", "because", "we", "now", "finally", "answer")
)


def parse(text: str, *, thousands: bool = True) -> Node:
    """Return the answer that a cleaned text spells.

    `thousands=False` reads the comma in 1,234 as a separator of two items.

    Raises:
        AnswerSyntaxError: not all of the text can be read.
    """
    if (value := spelled(text)) is not None:
        return number(value)
    if (letter := choices.letter(text)) is not None:
        return Text(letter)
    if (choice := choices.letter_with_meaning(text)) is not None:
        return Relation((Text(choice[0]), parse(choice[1], thousands=thousands)), ("=",))
    if _ROMAN.fullmatch(text):
        return Text(text)
    tokens = tokenize(text, thousands=thousands)
    if len(tokens) == 1:
        raise AnswerSyntaxError("empty")
    words = _only_words(tokens)
    if words is not None:
        return words
    parser = AnswerParser(tokens)
    return parser.answer()


def _only_words(tokens: list[Token]) -> Node | None:
    """Return a text when nothing but words is there, so that "no solution" is never a product."""
    if all(t.kind in ("text", "end") for t in tokens):
        return Text(" ".join(t.value for t in tokens if t.kind == "text"))
    return None


class AnswerParser(MeasureParser):
    """Parses complete answers."""

    def answer(self) -> Node:
        """Parse everything up to the end of the text."""
        node = self.listing("")
        if self.token.kind != "end":
            raise self.error("unexpected")
        return node

    def closes(self, closers: tuple[str, ...]) -> bool:
        """Whether the list ends here."""
        token = self.token
        if token.kind == "end" or (token.kind == "op" and token.value in closers):
            return True
        if token.kind == "cmd" and token.value in closers:
            self.at += 1
            return True
        return False

    # -- lists -------------------------------------------------------------------------------------------------

    def listing(self, *closers: str) -> Node:
        """Parse items separated by commas, semicolons, "and", "or", up to a closer, which stays."""
        items: list[Node] = []
        joints: list[str] = []
        if self.closes(closers):
            return Listing(())
        while True:
            item = self.clause()
            items.append(item)
            joint = self.joint(closers)
            if joint is None:
                return _arrange(items, joints)
            if joint == "where":
                items[-1] = Qualified(item, self.clause())
                joint = self.joint(closers)
                if joint is None:
                    return _arrange(items, joints)
            joints.append(joint)
            if len(items) >= MAX_ITEMS:
                raise self.error("too many items")

    def joint(self, closers: tuple[str, ...]) -> str | None:
        """Consume the separator before the next item; None at the end of the list."""
        found = ""
        while not self.closes(closers):
            token = self.token
            if token.kind == "op" and token.value in (",", ";", "row"):
                found = found or {"row": ";"}.get(token.value, token.value)
            elif token.kind == "joint" or (token.kind == "op" and token.value in ("and", "or")):
                found = token.value
            elif (token.kind == "text" and token.value.lower() in QUALIFIER_WORDS) or (
                token.kind == "cmd" and token.value == "forall"
            ):
                self.at += 1
                return "where"
            elif self.at_bracketed_range():
                return "where"
            else:
                break
            self.at += 1
        if not found and not self.closes(closers):
            raise self.error("unexpected")
        return None if self.closes(closers) else found

    def at_bracketed_range(self) -> bool:
        r"""Whether `(k \in ...)` is at hand, which says where a parameter lives."""
        following = self.tokens[self.at + 1 : self.at + 3]
        return self.is_op("(") and len(following) == 2 and following[0].kind == "sym" and following[1].value == "in"

    def starts_atom(self) -> bool:
        """Whether a factor begins here; the range of a parameter is none."""
        return super().starts_atom() and not self.at_bracketed_range()

    # -- one item ----------------------------------------------------------------------------------------------

    def clause(self) -> Node:
        """Parse a relation, set, quantity, value or text, perhaps with a label before it."""
        if self.token.kind == "text":
            words = self.take().value
            if words.lower().strip(".") in PREFIXED and self.at_number():
                return self.prefixed(words.lower().strip("."))
            if words.lower() in _MONTHS and self.at_number():
                return self.date(words)
            if self.is_op(":", "=") and not self.colon_closes:
                self.at += 1
                return Relation((Text(words), self.relation()), ("=",))
            if self.ends_item():
                return Text(words)
            if _EXCEPT.fullmatch(words.lower()):
                return SetOperation("setminus", (NumberSet("R"), SetOf(items_of(self.listing("")))))
            if _is_label(words):
                return Relation((Text(words), self.relation()), ("=",))
            raise self.error("words before a formula")
        if self.is_op("approx", "="):
            self.at += 1
        self.notice_definition()
        return self.relation()

    def date(self, month: str) -> Text:
        """Parse the day and the year after the name of a month."""
        said = f"{month} {self.take().value}"
        if self.token.kind == "text" and self.token.value in ("st", "nd", "rd", "th"):
            self.at += 1
        if self.is_op(",") and self.tokens[self.at + 1].kind == "num" and len(self.tokens[self.at + 1].value) == 4:
            self.at += 1
            said += f" {self.take().value}"
        return Text(said)

    def ends_item(self) -> bool:
        """Whether an item of a list may end here."""
        return self.token.kind in ("end", "joint") or self.is_op(",", ";", ")", "}")

    def notice_definition(self) -> None:
        """Read `p` as a function where a clause begins with `p(x) =`."""
        if self.token.kind != "sym" or self.tokens[self.at + 1].value != "(":
            return
        at = self.at + 2
        while self.tokens[at].kind in ("sym", "num") or self.tokens[at].value == ",":
            at += 1
        if self.tokens[at].value == ")" and self.tokens[at + 1].value == "=":
            self.functions.add(self.token.value)

    def relation(self) -> Node:
        """Parse operands joined by relation signs."""
        operands, ops = [self.annotated()], list[str]()
        while self.token.kind == "op" and self.token.value in _RELATIONS:
            if len(ops) >= 16:
                raise self.error("too long a chain")
            ops.append(self.take().value)
            operands.append(self.annotated())
        if self.token.kind == "cmd" and self.token.value == "pmod":
            self.at += 1
            operands.append(self.argument())
            ops.append("mod")
        elif not ops and self.accept("mod"):
            return Call("mod", (operands[0], self.expr()))
        elif self.is_op("mod"):
            self.at += 1
            operands.append(self.expr())
            ops.append("mod")
        elif self.is_op("(") and self.tokens[self.at + 1].value == "mod":
            self.at += 2
            operands.append(self.expr())
            ops.append("mod")
            self.expect(")")
        if "equiv" in ops and ops[-1] != "mod":  # an identity
            ops = ["=" if op == "equiv" else op for op in ops]
        return Relation(tuple(operands), tuple(ops)) if ops else operands[0]

    # -- sets --------------------------------------------------------------------------------------------------

    def sets(self) -> Node:
        """Parse unions, intersections and differences."""
        first = self.ratio()
        if isinstance(first, NumberSet) and self.is_op("-") and self.tokens[self.at + 1].value == "\\{":
            self.tokens[self.at] = Token("op", "setminus")
        if not self.is_op("cup", "cap", "setminus"):
            return first
        kind = self.token.value
        parts = [first]
        while self.is_op(kind):
            self.at += 1
            parts.append(self.ratio())
        return SetOperation(kind, tuple(parts))  # type: ignore[arg-type]

    def ratio(self) -> Node:
        """Parse `a : b : c`."""
        start = self.at
        first = self.operand()
        if self.token.kind == "text" and self.token.value == "to" and self.tokens[self.at + 1].kind == "num":
            self.at += 1
            return Ratio((first, self.operand()), "to")
        if self.colon_closes or not self.is_op(":"):
            return first
        parts = [first]
        while self.accept(":"):
            parts.append(self.operand())
        return Ratio(tuple(parts), "".join(token.value for token in self.tokens[start : self.at]))

    def operand(self) -> Node:
        """Parse an expression or one of the standard sets."""
        token = self.token
        if token.kind == "set":
            self.at += 1
            name = token.value
            while self.is_op("^", "_"):
                self.at += 1
                braced = self.accept("{")
                while self.token.kind in ("num", "sym") or self.is_op("+", "-", ">", "<", "*", "ge", "le"):
                    name += self.take().value
                if braced:
                    self.expect("}")
            return NumberSet(_SAME_SETS.get(name, name))
        if token.kind == "cmd" and token.value == "emptyset":
            self.at += 1
            return SetOf(())
        return self.expr()

    def braces(self, closer: str) -> Node:
        """Parse a group, a set, or `{x | condition}`."""
        self.bar_closes = self.colon_closes = True
        inner = self.listing(closer, "|", ":")
        if self.is_op("|", ":"):
            self.at += 1
            self.bar_closes = self.colon_closes = False
            condition = self.listing(closer)
            self.expect(closer)
            return Builder(inner, condition)
        self.expect(closer)
        items = items_of(inner)
        return items[0] if len(items) == 1 and closer == "}" else SetOf(items)


def _is_label(words: str) -> bool:
    """Whether words name the value that follows: "Minimum:", "the area is", "Anna has", "Paolo"."""
    parts = words.split()
    lower = [part.lower().strip(":,") for part in parts]
    if _DOUBTS & set(lower) or lower[0] in _DISCOURSE:
        return False
    return (
        words.rstrip().endswith(":")
        or lower[-1] in _VERBS
        or (len(parts) == 1 and (parts[0][:1].isupper() or lower[0] in _NOUNS))
    )


def _arrange(items: list[Node], joints: list[str]) -> Node:
    """Return the items as a list, or as a list of groups where semicolons, "and" or "or" separate groups."""
    joint = "or" if "or" in joints else "and" if "and" in joints else ","
    if len(items) == 1:
        return items[0]
    if len(items) == 2 and joints == ["and"] and (both := compound(items[0], items[1])) is not None:
        return both
    if ";" in joints and "," in joints:
        groups = _split(items, joints, {";"})
    elif ("and" in joints or "or" in joints) and "," in joints:
        groups = _split(items, joints, {"and", "or"})
        if not (min(map(len, groups)) >= 2 and _same_names(groups)):
            return Listing(tuple(items), joint)  # type: ignore[arg-type]
    else:
        return Listing(tuple(items), joint)  # type: ignore[arg-type]
    return Listing(tuple(g[0] if len(g) == 1 else Group(tuple(g), "(", ")") for g in groups), joint)  # type: ignore[arg-type]


def _split(items: list[Node], joints: list[str], at: set[str]) -> list[list[Node]]:
    groups: list[list[Node]] = [[items[0]]]
    for item, joint in zip(items[1:], joints, strict=True):
        if joint in at:
            groups.append([item])
        else:
            groups[-1].append(item)
    return groups


def _same_names(groups: list[list[Node]]) -> bool:
    """Whether all groups define the same names in the same order: `p=5, q=2 and p=7, q=2`."""
    heads = [[i.operands[0] if isinstance(i, Relation) and i.ops == ("=",) else None for i in g] for g in groups]
    return None not in heads[0] and all(head == heads[0] for head in heads)


__all__ = ["AnswerParser", "AnswerSyntaxError", "parse"]
