"""Tier 1: plain numbers as exact fractions, which decides most traffic in microseconds.

Reads integers, decimals, fractions, mixed numbers, powers of ten, thousands separators, currency signs and percent
from an already cleaned answer. Anything else returns None and goes to the parser. Every number of digits and every
exponent is capped, so no integer larger than about `MAX_DIGITS` digits ever exists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

MAX_DIGITS = 400
"""Digits of a number that is read exactly."""
MAX_EXPONENT = 400

_THOUSANDS = r"\d{1,3}(?:(?:,\\!\s?|,)\d{3})+|\d{1,3}(?: \d{3})+"
_DECIMAL = rf"(?:{_THOUSANDS}|\d+)(?:\.\d*)?|\.\d+"
_PLAIN = re.compile(rf"(?P<sign>[-+]?) ?\u00a4? ?(?P<number>{_DECIMAL})(?P<percent> ?%)?")
_FRACTION = re.compile(
    r"(?P<sign>[-+]?) ?(?P<whole>\d+ ?)?"
    r"(?:\\frac ?(?:\{ ?(?P<n1>-?\d+) ?\}|(?P<n2>\d)) ?(?:\{ ?(?P<d1>\d+) ?\}|(?P<d2>\d))"
    r"|(?P<n3>\d+) ?/ ?(?P<d3>\d+))(?P<percent> ?%)?"
)
_SCIENTIFIC = re.compile(
    r"(?P<sign>[-+]?)(?P<mantissa>\d+(?:\.\d+)?|\.\d+)"
    r"(?:[eE](?P<e1>[-+]?\d{1,4})| ?(?:\\times|\\cdot|\*) ?10 ?\^ ?(?:\{ ?(?P<e2>[-+]?\d{1,4}) ?\}|(?P<e3>\d)(?!\d)))"
)
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Rational:
    """An exact number with the decimals that it was written with (None unless a decimal point was there)."""

    value: Fraction
    decimals: int | None = field(default=None, compare=False)
    percent: bool = False


def digits_to_int(digits: str) -> int:
    """Return the integer, or raise `ValueError` beyond `MAX_DIGITS`."""
    if len(digits) > MAX_DIGITS:
        raise ValueError("too many digits")
    return int(digits)


def read_rational(text: str) -> Rational | None:
    """Return the number that the whole of a cleaned answer spells, or None when it is anything else."""
    if len(text) > MAX_DIGITS or not _DIGITS.search(text):
        return None
    if match := _PLAIN.fullmatch(text):
        number = re.sub(r"[,\\! ]", "", match["number"])
        whole, _, decimals = number.partition(".")
        value = Fraction(int(whole + decimals or "0"), 10 ** len(decimals))
        return _signed(match, value, len(decimals) if "." in number else None)
    if match := _FRACTION.fullmatch(text):
        above, below = match["n1"] or match["n2"] or match["n3"], match["d1"] or match["d2"] or match["d3"]
        whole = match["whole"]
        if int(below) == 0 or (whole is not None and match["n3"] and not whole.endswith(" ")):
            return None
        value = Fraction(int(above), int(below))
        if whole is not None:
            if not 0 <= value < 1:
                return None
            value += int(whole)
        return _signed(match, value, None)
    if match := _SCIENTIFIC.fullmatch(text):
        exponent = int(match["e1"] or match["e2"] or match["e3"])
        if abs(exponent) > MAX_EXPONENT:
            return None
        return Rational((-1 if match["sign"] == "-" else 1) * Fraction(match["mantissa"]) * Fraction(10) ** exponent)
    return None


def _signed(match: re.Match[str], value: Fraction, decimals: int | None) -> Rational:
    percent = match["percent"] is not None
    value = -value if match["sign"] == "-" else value
    return Rational(value, decimals, percent)
