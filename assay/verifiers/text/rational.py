r"""Reading one number from text as an exact fraction.

Invariants: the whole text must be a number (a readable prefix is not enough); no float is involved; size is bounded
before anything is computed, so `1e999999999` or a page of digits costs nothing.

Read: signs, thousands separators in proper groups of three, decimals, fractions and mixed numbers (`-3/4`, `1 3/4`,
`\frac{3}{4}`), scientific notation (`1.5e3`, `1.5 × 10^3`), percent, a currency sign in front, and `x = ...`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

MAX_DIGITS = 1_000
"""Longest run of digits, and largest power of ten, that is read as a number."""

_MINUS = str.maketrans({"−": "-", "–": "-", "‐": "-", "‑": "-", "－": "-", "＋": "+"})
_SPACES = re.compile(r"(?<=\d)(?:[\u00a0\u2009\u202f]|\\,|\{,\})(?=\d{3}(?!\d))")
_UNSIGNED = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+"
# White space is collapsed before matching, so that " ?" is enough and nothing can backtrack far.
_NUMBER = re.compile(
    r"(?P<sign>[+-]?) ?(?:\\?[$€£¥] ?)?(?:"
    rf"(?P<mantissa>{_UNSIGNED})?(?:(?<=[\d.]) ?(?:\*|×|\\times|\\cdot|·) ?|(?<![\d.]))"
    r"10 ?\^ ?(?P<power>[+-]?\d+|\{[+-]?\d+\})"
    rf"|(?P<float>{_UNSIGNED})[eE](?P<exponent>[+-]?\d+)"
    r"|(?:(?P<whole>\d+) )?(?P<top>\d+) ?/ ?(?P<bottom>\d+)"
    r"|(?P<whole_tex>\d+)? ?\\[dt]?frac ?\{ ?(?P<top_tex>[+-]?\d+) ?\} ?\{ ?(?P<bottom_tex>\d+) ?\}"
    rf"|(?P<plain>{_UNSIGNED})"
    r") ?(?P<percent>\\?%)?"
)
_EQUATION = re.compile(r"[A-Za-z] ?= ?")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written: its value, and whether a percent sign stood behind it (50% has value 50)."""

    value: Fraction
    percent: bool = False


def read_number(text: str) -> Number:
    """Return the number that the whole text is. ValueError says why it is none."""
    if len(text) > 4 * MAX_DIGITS:
        raise ValueError(f"too long for a number ({len(text)} characters)")
    text = " ".join(_SPACES.sub(",", text.translate(_MINUS)).split())
    text = text[match.end() :] if (match := _EQUATION.match(text)) else text
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"not a number: {text[:60]!r}")
    group = found.groupdict()
    if group["power"] is not None:
        value = _decimal(group["mantissa"] or "1", group["power"].strip("{}"))
    elif group["float"] is not None:
        value = _decimal(group["float"], group["exponent"])
    elif group["top"] is not None:
        value = _integer(group["whole"] or "0") + _quotient(group["top"], group["bottom"])
    elif group["top_tex"] is not None:
        value = _integer(group["whole_tex"] or "0") + _quotient(group["top_tex"], group["bottom_tex"])
    else:
        value = _decimal(group["plain"], "0")
    return Number(-value if group["sign"] == "-" else value, group["percent"] is not None)


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"more than {MAX_DIGITS} digits")
    return int(digits)


def _quotient(top: str, bottom: str) -> Fraction:
    if not _integer(bottom):
        raise ValueError("division by zero")
    return Fraction(_integer(top), _integer(bottom))


def _decimal(digits: str, exponent: str) -> Fraction:
    """Return digits × 10^exponent."""
    power = int(exponent) if len(exponent) < 8 else MAX_DIGITS + 1
    if abs(power) > MAX_DIGITS:
        raise ValueError(f"the power of ten is beyond ±{MAX_DIGITS}")
    whole, _, decimals = digits.replace(",", "").partition(".")
    mantissa = Fraction(_integer(whole + decimals or "0"), 10 ** len(decimals))
    return mantissa * Fraction(10) ** power
