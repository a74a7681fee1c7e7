"""Numbers in English words: "twenty-one", "one hundred and five", "three quarters", "negative two"."""

from __future__ import annotations

import re
from fractions import Fraction

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: k for k, word in enumerate(_ONES)} | {word: 10 * k for k, word in enumerate(_TENS, 2)}
_LARGE = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "hundredth": 100,
}  # fmt: skip
_WORDS = re.compile(r"[A-Za-z]+(?:[ -][A-Za-z]+){0,11}")


def spelled(text: str) -> Fraction | None:
    """Return the number that a text spells in words, or None for any other text."""
    if _WORDS.fullmatch(text) is None:
        return None
    words = text.lower().replace("-", " ").split()
    sign = 1
    if len(words) > 1 and words[0] in ("negative", "minus"):
        sign, words = -1, words[1:]
    part = _PARTS.get(words[-1]) or _PARTS.get(words[-1].removesuffix("s"))
    if part is not None and len(words) > 1:
        above = 1 if words[:-1] == ["a"] else _whole(words[:-1])
        return None if above is None else Fraction(sign * above, part)
    whole = _whole(words)
    return None if whole is None else Fraction(sign * whole)


def _whole(words: list[str]) -> int | None:
    """Return a whole number: groups of up to three digits, each before a larger power of a thousand."""
    total = group = 0
    last: int | None = None  # the place that the word before took: 1, 10, 100, or None after a power of a thousand
    limit = 10**15
    for position, word in enumerate(words):
        if word == "and":
            if position in (0, len(words) - 1) or last != 100:
                return None
        elif word in _SMALL:
            value = _SMALL[word]
            if last == 1 or (last == 10 and value >= 10) or (value == 0 and len(words) > 1):
                return None
            group += value
            last = 10 if value >= 20 else 1
        elif word == "hundred" and last == 1 and group < 10:
            group, last = 100 * group, 100
        elif word in _LARGE and group and _LARGE[word] < limit:
            limit = _LARGE[word]
            total, group, last = total + group * limit, 0, None
        else:
            return None
    return total + group
