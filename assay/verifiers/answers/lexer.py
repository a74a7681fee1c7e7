"""Split a cleaned answer into tokens, in one pass.

Decides what a run of letters is: a function (`sin`), a constant (`pi`), a joint ("and"), a unit after a number, a
product of variables (`abc`, up to three letters), or words. LaTeX text is read the same way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from assay.verifiers.answers.units import is_unit_word, parse_unit
from assay.verifiers.answers.vocabulary import (
    ALIASES,
    COMMAND_OPERATORS,
    CONSTANTS,
    ENGLISH,
    FUNCTIONS,
    GREEK,
    JOINTS,
    OPERATOR_NAMES,
    OPERATORS,
    SETS,
    TEXT_COMMANDS,
)

MAX_TOKENS = 1500

Kind = Literal["num", "sym", "const", "fn", "cmd", "op", "joint", "text", "unit", "set", "end"]


class AnswerSyntaxError(ValueError):
    """The text is not an answer in the grammar."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `spaced` tells whether blank space stood before it."""

    kind: Kind
    value: str
    spaced: bool = False


_NUMBER = re.compile(r"\d+(?:\.\d+|\.(?!\.))?|\.\d+")
_THOUSANDS = re.compile(r"\d{1,3}(?:(?:,\d{3})+|(?: \d{3})+)(?![\d])(?:\.\d+)?")
_SPACED_THOUSANDS = re.compile(r"\d{1,3}(?: \d{3})+(?!\d)(?:\.\d+)?")
_DECIMAL_COMMA = re.compile(r"0,\d{3,}(?!\d|,)")
_WORD = re.compile(r"[A-Za-z]+")
_SYLLABLE = re.compile("[b-df-hj-np-tv-z][aeiou][b-df-hj-np-tv-z]")
"""A short word such as "cat"; a product of three variables is written in the order of the alphabet."""
_SCIENTIFIC = re.compile(r"(\d+\.\d+(?=[eE])|\d+(?=E)|\d+(?=e[-+]?\d\d))[eE]([-+]?)(\d{1,3})(?![\d.])")
_HEXADECIMAL = re.compile(r"(?=[0-9A-F]*[A-F])(?=[0-9A-F]{2})[0-9A-F]+(?=_(?:\{ ?\(?|\()?1[1-6]\b)", re.IGNORECASE)
"""A numeral with letters as digits, before its base."""
_ARGUMENT = re.compile(r" ?(?:[({]|\\\{)")
_FACTOR = re.compile(r"x ?10 ?\^|x (?=\d)")
"""The letter x as a sign of multiplication between numbers."""
_COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)


def tokenize(text: str, *, thousands: bool = True) -> list[Token]:
    """Return the tokens of a cleaned answer, ended by an `end` token; `AnswerSyntaxError` for a foreign character."""
    return _Lexer(text, thousands).run()


class _Lexer:
    def __init__(self, text: str, thousands: bool) -> None:
        self.text, self.at, self.depth = text, 0, 0
        self.thousands = thousands
        self.tokens: list[Token] = []

    def run(self) -> list[Token]:
        text, size = self.text, len(self.text)
        while self.at < size:
            char = text[self.at]
            if char == " ":
                self.at += 1
                continue
            if len(self.tokens) > MAX_TOKENS:
                raise AnswerSyntaxError("the answer has too many parts")
            if char.isdigit() or (char == "." and text[self.at + 1 : self.at + 2].isdigit()):
                self.number()
            elif char == "\\":
                self.command()
            elif char.isascii() and char.isalpha():
                self.word()
            else:
                self.operator(char)
        self.emit("end", "")
        return self.tokens

    def emit(self, kind: Kind, value: str, size: int = 0) -> None:
        spaced = self.at > 0 and self.text[self.at - 1 : self.at] == " "
        if kind == "text" and self.tokens and self.tokens[-1].kind == "text":
            last = self.tokens.pop()
            value, spaced = f"{last.value} {value}", last.spaced
        self.tokens.append(Token(kind, value, spaced))
        self.at += size

    def number(self) -> None:
        match = _SCIENTIFIC.match(self.text, self.at)
        if match is not None:
            mantissa, minus, exponent = match.groups()
            power = [("op", "*"), ("num", "10"), ("op", "^"), ("op", "{"), *[("op", "-")] * (minus == "-")]
            self.emit("num", mantissa, match.end() - self.at)
            self.tokens.extend(Token(*part) for part in (*power, ("num", exponent), ("op", "}")))  # type: ignore[arg-type]
            return
        if self.thousands and self.depth == 0:
            match = _THOUSANDS.match(self.text, self.at) or _DECIMAL_COMMA.match(self.text, self.at)
        elif self.depth == 0:
            match = _SPACED_THOUSANDS.match(self.text, self.at)
        if match is not None:
            digits = match.group()
            if digits.startswith("0,"):
                digits = digits.replace(",", ".")
            elif digits.startswith("0"):
                match = None
        if match is None:
            based = _HEXADECIMAL.match(self.text, self.at)
            match = based or _NUMBER.match(self.text, self.at)
            if match is None:
                raise AnswerSyntaxError(f"unreadable number at {self.text[self.at : self.at + 10]!r}")
            digits = match.group()
        self.emit("num", digits.replace(",", "").replace(" ", ""), match.end() - self.at)

    def operator(self, char: str) -> None:
        for spelling in OPERATORS:
            if self.text.startswith(spelling, self.at):
                if spelling == "...":
                    return self.emit("cmd", "ldots", 3)
                if spelling in OPERATOR_NAMES:
                    return self.emit("op", OPERATOR_NAMES[spelling], len(spelling))
                raise AnswerSyntaxError(f"unexpected {spelling!r}")
        if char in "([{":
            self.depth += 1
        elif char in ")]}":
            self.depth -= 1
        elif char not in "+-*/^_=<>,;:|!'%&\u00a4":
            raise AnswerSyntaxError(f"unexpected {char!r}")
        return self.emit("op", char, 1)

    def command(self) -> None:
        match = _COMMAND.match(self.text, self.at)
        if match is None:
            raise AnswerSyntaxError("the answer ends in a backslash")
        name, size = match.group(1), match.end() - self.at
        if name in TEXT_COMMANDS:
            return self.text_command(name, match.end())
        if name == "mathbb" or name == "mathcal":
            content, end = self.group(match.end())
            return self.emit("set" if content.strip() in SETS else "sym", content.strip(), end - self.at)
        if name in ("{", "}"):
            self.depth += 1 if name == "{" else -1
            return self.emit("op", "\\" + name, size)
        if name in COMMAND_OPERATORS:
            return self.emit("op", COMMAND_OPERATORS[name], size)
        if name in FUNCTIONS or name in ALIASES:
            return self.emit("fn", ALIASES.get(name, name), size)
        if name in CONSTANTS:
            return self.emit("const", CONSTANTS[name], size)
        if name == "deg":
            return self.emit("fn", "degree", size)
        if name in GREEK:
            return self.emit("sym", name, size)
        return self.emit("cmd", name, size)

    def group(self, at: int) -> tuple[str, int]:
        """Return the braced (or single-character) argument at `at`, and where it ends."""
        while self.text[at : at + 1] == " ":
            at += 1
        if self.text[at : at + 1] != "{":
            return self.text[at : at + 1], at + 1
        depth = 0
        for index in range(at, len(self.text)):
            char = self.text[index]
            if char == "{":
                depth += 1
            elif char == "}":
                depth -= 1
                if depth == 0:
                    return self.text[at + 1 : index], index + 1
        raise AnswerSyntaxError("a brace does not close")

    def text_command(self, name: str, at: int) -> None:
        content, end = self.group(at)
        plain = content.strip()
        while plain.startswith("{") and plain.endswith("}"):
            plain = plain[1:-1].strip()
        size = end - self.at
        if not plain:
            self.at = end
            return None
        if name == "operatorname":
            if plain in FUNCTIONS or plain in ALIASES:
                return self.emit("fn", ALIASES.get(plain, plain), size)
            return self.emit("sym", plain, size)
        after_number = bool(self.tokens) and self.tokens[-1].kind == "num"
        if name != "text" and (len(plain) > 1 or (after_number and plain not in "eid")) and parse_unit(plain):
            return self.emit("text", plain, size)
        if name != "text" and len(plain) == 1 and plain.isalpha():
            return self.emit("const" if plain in "ei" else "sym", plain, size)
        if name != "text" and (plain in FUNCTIONS or plain in ALIASES):
            return self.emit("fn", ALIASES.get(plain, plain), size)
        lower = plain.lower().strip(",;. ")
        if lower in JOINTS:
            return self.emit("joint", JOINTS[lower], size)
        if plain in (",", ";", ":", "="):
            return self.emit("op", plain, size)
        if (
            plain[0].isdigit()
            or plain.startswith("(mod ")
            or re.fullmatch(r"[-+\d.,/()= \\^{}<>|*:]+", plain)
            or "\\" in plain
            or (name != "text" and "^" in plain)
        ):
            inner = _Lexer(plain, self.thousands).run()[:-1]
            if len(inner) + len(self.tokens) > MAX_TOKENS:
                raise AnswerSyntaxError("the answer has too many parts")
            self.tokens.extend(inner)
            self.at = end
            return None
        if (plain in FUNCTIONS or plain in ALIASES) and _ARGUMENT.match(self.text, end) is not None:
            return self.emit("fn", ALIASES.get(plain, plain), size)
        if plain == "e" and name == "text":
            return self.emit("const", "e", size)
        if " and " in f" {plain} " or " or " in f" {plain} ":
            return self.words_with_joints(plain, end)
        return self.emit("text", plain, size)

    def words_with_joints(self, plain: str, end: int) -> None:
        """Read "goats and" as words and a joint; "A and B" inside one text as a list of texts."""
        parts = re.split(r",? (and|or)(?= )", f" {plain} ")
        for index, part in enumerate(parts):
            words = part.strip(" ,")
            if index % 2:
                self.tokens.append(Token("joint", part))
            elif words:
                for number, piece in enumerate(re.split(r", ", words)):
                    if number:
                        self.tokens.append(Token("op", ","))
                    self.tokens.append(Token("text", piece.strip()))
        self.at = end

    def word(self) -> None:
        match = _WORD.match(self.text, self.at)
        assert match is not None
        run = match.group()
        based = _HEXADECIMAL.match(self.text, self.at)
        if based is not None and run.isupper():
            return self.emit("num", based.group(), based.end() - self.at)
        before = self.text[self.at - 1 : self.at]
        if before and (before.isdigit() or before in ")}") and len(run) > 2:
            for joint in ("or", "and"):
                if run.startswith(joint) and len(run) - len(joint) <= 1:
                    self.emit("joint", joint, len(joint))
                    return None
        if len(run) == 1:
            return self.letter(run)
        if run.lower() in JOINTS:
            return self.emit("joint", JOINTS[run.lower()], len(run))
        if run in ("circ",):
            return self.emit("cmd", run, len(run))
        if run in CONSTANTS:
            return self.emit("const", CONSTANTS[run], len(run))
        after_number = bool(self.tokens) and self.tokens[-1].kind == "num"
        if run == "min" and after_number and _ARGUMENT.match(self.text, match.end()) is None:
            return self.emit("unit", run, len(run))
        if run in FUNCTIONS or run in ALIASES:
            if run == "inf":
                return self.emit("const", "inf", len(run))
            return self.emit("fn", ALIASES.get(run, run), len(run))
        if run in GREEK:
            return self.emit("sym", run, len(run))
        if run in ("union", "cup", "U"):
            return self.emit("op", "cup", len(run))
        if run == "mod":
            return self.emit("op", "mod", len(run))
        if self.tokens and self.tokens[-1].kind in ("num", "unit") and is_unit_word(run):
            return self.emit("unit", run, len(run))
        for size in (3, 2):
            if run[:size] in FUNCTIONS and len(run) == size + 1:
                self.emit("fn", ALIASES.get(run[:size], run[:size]), size)
                return None
        in_text = bool(self.tokens) and self.tokens[-1].kind == "text"
        if run in ("AM", "PM") and in_text | after_number:
            return self.emit("text", run, 2)
        same_case = run.islower() or run.isupper()
        label = run.isupper() and len(run) < len(self.text)
        english = run.lower() in ENGLISH or (_SYLLABLE.fullmatch(run) is not None and list(run) != sorted(run))
        if len(run) <= 3 and same_case and (label or not english) and not in_text:
            for char in run:
                self.letter(char)
            return None
        return self.emit("text", run, len(run))

    @staticmethod
    def is_reserved(word: str) -> bool:
        """Whether a word has a meaning in formulas, so that a letter before it is no article."""
        tables = (FUNCTIONS, ALIASES, JOINTS, CONSTANTS, GREEK, ENGLISH)
        return any(word.lower() in table for table in tables) or is_unit_word(word)

    def letter(self, char: str) -> None:
        previous = self.tokens[-1] if self.tokens else None
        if previous is not None and previous.kind == "text" and char in "aAIs":
            return self.emit("text", char, 1)
        if char in "aA" and previous is None and (word := _WORD.match(self.text, self.at + 2)) is not None:
            following = word.group()
            if self.text[self.at + 1] == " " and len(following) > 2 and not self.is_reserved(following):
                return self.emit("text", char, 1)
        if char == "x" and previous is not None and previous.kind == "num" and _FACTOR.match(self.text, self.at):
            return self.emit("op", "*", 1)
        if char == "U" and previous is not None and previous.value in ("]", ")", "\\}"):
            return self.emit("op", "cup", 1)
        if char in "ei":
            return self.emit("const", char, 1)
        return self.emit("sym", char, 1)
