"""When two outputs, or two values, are the same. Runs in the trusted process, on plain data only.

Text: `exact`, `lines` (trailing white space of lines and trailing empty lines do not count), `tokens`, `floats`
(tokens, where numbers may differ by 1e-6 absolutely or relatively; integers exactly; NaN and infinities never match),
`unordered` (lines in any order). Never: ignoring case, sets of tokens, prefixes.

Values: `value` takes a list for a tuple and 1.0 for 1, but never True for 1, and allows a float result a relative error
of 1e-9; `python` is `==`, as an assertion in a test file has it; `is` is for None, True and False; `truthy` and `falsy`
are bare assertions; `close` is `abs(a - b) < tolerance`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Literal, get_args

TextRule = Literal["exact", "lines", "tokens", "floats", "unordered"]
ValueRule = Literal["value", "python", "is", "truthy", "falsy", "close"]
TEXT_RULES: tuple[str, ...] = get_args(TextRule)
VALUE_RULES: tuple[str, ...] = get_args(ValueRule)

EPSILON = 1e-6
RELATIVE = 1e-9
_INTEGER = re.compile(r"[+-]?[0-9]{1,4000}\Z")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,400}\.?[0-9]{0,400}|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?\Z")


def same_text(actual: bytes, expected: str, rule: TextRule = "lines") -> bool:
    """Whether an output is the expected one. Output that is not UTF-8 never is."""
    try:
        text = actual.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return _TEXT[rule](text, expected)


def _exact(actual: str, expected: str) -> bool:
    return actual == expected


def _lines(actual: str, expected: str) -> bool:
    return _split(actual) == _split(expected)


def _unordered(actual: str, expected: str) -> bool:
    return sorted(_split(actual)) == sorted(_split(expected))


def _tokens(actual: str, expected: str) -> bool:
    return actual.split() == expected.split()


def _floats(actual: str, expected: str) -> bool:
    ours, theirs = actual.split(), expected.split()
    return len(ours) == len(theirs) and all(map(_same_token, ours, theirs))


def _split(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _same_token(actual: str, expected: str) -> bool:
    if actual == expected:
        return _lower(actual) not in _NEVER
    if _INTEGER.match(expected) and _INTEGER.match(actual):
        return int(actual) == int(expected)
    if not (_NUMBER.match(actual) and _NUMBER.match(expected)):
        return False
    a, b = float(actual), float(expected)
    return math.isfinite(a) and math.isfinite(b) and abs(a - b) <= EPSILON * max(1.0, abs(b))


_NEVER = frozenset({"nan", "inf", "infinity"})


def _lower(token: str) -> str:
    return token.lstrip("+-").lower()


_TEXT: dict[str, Callable[[str, str], bool]] = {
    "exact": _exact, "lines": _lines, "tokens": _tokens, "floats": _floats, "unordered": _unordered,
}  # fmt: skip


def same_value(actual: Any, expected: Any, rule: ValueRule = "value", tolerance: float = 0.0) -> bool:
    """Whether a result is the expected one. Both are plain values: instances of the exact built-in types."""
    if rule == "python":
        return bool(actual == expected)
    if rule == "is":
        return actual is expected
    if rule in ("truthy", "falsy"):
        return bool(actual) is (rule == "truthy")
    if rule == "close":
        return _is_number(actual) and abs(actual - expected) < tolerance
    return _same(actual, expected)


def _same(actual: Any, expected: Any) -> bool:
    if isinstance(actual, bool) or isinstance(expected, bool):
        return actual is expected
    if isinstance(expected, float) and isinstance(actual, int | float):
        return _same_float(actual, expected)
    if isinstance(expected, int) and isinstance(actual, int | float):
        return actual == expected
    if isinstance(expected, list | tuple) and isinstance(actual, list | tuple):
        return len(actual) == len(expected) and all(map(_same, actual, expected))
    if isinstance(expected, dict) and isinstance(actual, dict):
        typed = {(type(key), key): value for key, value in actual.items()}
        wanted = {(type(key), key): value for key, value in expected.items()}
        return typed.keys() == wanted.keys() and all(_same(typed[key], value) for key, value in wanted.items())
    return type(actual) is type(expected) and bool(actual == expected)


def _same_float(actual: float, expected: float) -> bool:
    try:
        value = float(actual)
    except OverflowError:
        return False
    if not (math.isfinite(value) and math.isfinite(expected)):
        return value == expected  # infinities of the same sign; NaN never
    return math.isclose(value, expected, rel_tol=RELATIVE, abs_tol=1e-12)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
