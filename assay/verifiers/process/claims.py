"""Finding arithmetic claims (`3 + 4 = 7`) in running text.

Only what certainly is a claim about numbers is one: a side that touches a variable, a unit in the middle or a
percent sign is left alone, so that algebra is never called false arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from assay.verifiers.text.arithmetic import evaluate

MAX_LINE = 2_000

_CHARACTERS = r"0-9.+\-−–*/×÷·^() "
_LEFT = re.compile(rf"(?:^|(?<=[^{_CHARACTERS}]))[{_CHARACTERS}]{{1,400}}$")
_RIGHT = re.compile(rf"[{_CHARACTERS}]{{1,400}}")
_EQUALS = re.compile(r"(?<![=<>!:≤≥≠])=(?![=<>])")
_LINES = re.compile(r"\n|<<|>>")
"""Line ends, and the calculator marks of GSM8K (`48/2=<<48/2=24>>24`)."""
_BULLET = re.compile(r"\s*(?:[-*•]|\(?\d{1,3}[.)])\s+(?![-+−–*/×÷·^)])")
_GROUPS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_DECORATION = re.compile(r"\\[$,!;]|[$€£]|\*\*|\\left|\\right")
_LATEX = ((r"\times", "×"), (r"\cdot", "·"), (r"\div", "÷"))
_OPERATORS = tuple("+-−–*/×÷·^")
_WORD_BEFORE = re.compile(r"([^\W\d_]+)\s*$")
_WORD_AFTER = re.compile(r"\s*([^\W\d_]+)")
_FUNCTIONS = frozenset(
    (
        "log",
        "ln",
        "lg",
        "exp",
        "sin",
        "cos",
        "tan",
        "sqrt",
        "root",
        "of",
        "twice",
        "half",
        "double",
        "triple",
        "negative",
    )
    + ("square", "cube", "squared", "cubed", "plus", "minus", "times", "over", "by", "percent", "mod", "per", "and")
    + ("hundred", "thousand", "million", "billion", "trillion", "dozen", "pi", "remainder", "less", "r")
)
"""Words that make the number beside them part of something larger."""


@dataclass(frozen=True, slots=True)
class Claim:
    """`left = right` as written, and whether it is true."""

    left: str
    right: str
    true: bool


def find_claims(text: str, *, rounding: bool = False) -> list[Claim]:
    """Return the claims of a text in order.

    `rounding` accepts a decimal on the right that is the left rounded to its digits (10/3 = 3.33).
    """
    return [claim for line in _LINES.split(text) if len(line) <= MAX_LINE for claim in _claims_of(line, rounding)]


def _claims_of(line: str, rounding: bool) -> list[Claim]:
    for command, sign in _LATEX:
        line = line.replace(command, sign)
    line = _GROUPS.sub(lambda match: match.group().replace(",", ""), _DECORATION.sub("", line))
    claims = list(_read(line, rounding))
    bullet = _BULLET.match(line)
    if bullet is None:
        return claims
    # "- 2 + 2 = 4" is a list item or a negative number: of two readings take the one in which less is false.
    listed = list(_read(line[bullet.end() :], rounding))
    if not listed or not claims:
        return listed or claims
    return min(listed, claims, key=lambda found: sum(not claim.true for claim in found))


def _read(line: str, rounding: bool) -> Iterator[Claim]:
    for before, after in pairwise(_EQUALS.split(line)):
        left, right = _side_before(before), _side_after(after)
        if left and right and (claim := _check(left, right, rounding)) is not None:
            yield claim


def _side_before(segment: str) -> str:
    """Return the arithmetic that the segment ends with, or nothing when it may belong to something larger."""
    found = _LEFT.search(segment)
    if found is None:
        return ""
    run, prefix = found.group(), segment[: found.start()]
    side, last = run.strip(), prefix[-1:]
    if last and (last in "_}{\\%?" or (last.isalnum() and not run.startswith(" "))):
        return ""  # 2x3 =, 50% =
    if last == ":" and prefix[-2:-1].isdigit() and not run.startswith(" "):
        return ""  # 3:4 =
    word = _WORD_BEFORE.search(prefix)
    if word is None:
        return side
    lone = not any(operator in side[1:] for operator in _OPERATORS)
    if lone or len(word.group(1)) == 1 or word.group(1).casefold() in _FUNCTIONS or side.startswith((*_OPERATORS, ")")):
        return ""  # box 2 =, x 3 =, log 8/3 =, apples - 3 =
    return side


def _side_after(segment: str) -> str:
    """Return the arithmetic that the segment begins with, or nothing when it may go on as something else."""
    found = _RIGHT.match(segment)
    if found is None:
        return ""
    run, rest = found.group(), segment[found.end() :]
    side, follows = run.strip(), rest[:1]
    if follows and not run.endswith(" ") and (follows.isalnum() or follows in "_\\{%!°?'"):
        return ""  # 7x, 5%, 3!
    if follows in (",", ":") and rest[1:2].isdigit():
        return ""  # 1,5 and 6:8
    word = _WORD_AFTER.match(rest)
    if follows == "%" or (word and (len(word.group(1)) == 1 or word.group(1).casefold() in _FUNCTIONS)):
        return ""  # 5 %, 7 x, 7 times, 7 thousand
    if side.endswith(".."):
        return ""  # 3.33...
    side = side.rstrip(".").rstrip()
    return "" if side.endswith((*_OPERATORS, "(")) else side


def _check(left: str, right: str, rounding: bool) -> Claim | None:
    try:
        a, b = evaluate(left).value, evaluate(right).value
    except ValueError:
        return None
    return Claim(left, right, a == b or (rounding and _rounds_to(a, right, b)))


def _rounds_to(exact: Fraction, written: str, value: Fraction) -> bool:
    _, point, decimals = written.strip("+-−– ").partition(".")
    return bool(point) and decimals.isdigit() and abs(exact - value) * 2 <= Fraction(1, 10 ** len(decimals))
