"""A closed parser and exact evaluator for arithmetic: + − × ÷ ^, parentheses, decimals. No `eval`.

Invariants: all the input is consumed; values are exact fractions; length, nesting and the size of every value are
bounded before they are computed, so a tower of powers is refused at once.

Grammar (`^` and `**` bind tighter than the sign in front and are read from the right):

    sum     = product (("+" | "-") product)*
    product = signed (("*" | "/") signed)*
    signed  = ("+" | "-") signed | power
    power   = atom ("^" signed)?
    atom    = number | "(" sum ")"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

MAX_LENGTH = 2_000
MAX_DEPTH = 64
MAX_BITS = 4_096
"""Largest size of a numerator or denominator, in bits."""

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?|\.\d+)|(\*\*|[-+*/^()])|(\S))")
_SYNONYMS = str.maketrans({"×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "∕": "/", "−": "-", "–": "-"})
_LATEX = ((r"\times", "*"), (r"\cdot", "*"), (r"\div", "/"), (r"\left", ""), (r"\right", ""))


@dataclass(frozen=True, slots=True)
class Expression:
    """An evaluated expression."""

    value: Fraction
    numbers: tuple[Fraction, ...]
    """The numbers that are written in it, in order."""
    operators: frozenset[str]
    """Of `+ - * / ^`; a sign in front of a number counts as its operator."""


def evaluate(text: str) -> Expression:
    """Evaluate an expression. ValueError says what is wrong with it."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the expression is longer than {MAX_LENGTH} characters")
    text = text.translate(_SYNONYMS)
    for command, plain in _LATEX:
        text = text.replace(command, plain)
    parser = _Parser(_tokens(text))
    value = parser.sum(0)
    if parser.token:
        raise ValueError(f"unexpected {parser.token!r}")
    return Expression(value, tuple(parser.numbers), frozenset(parser.operators))


def _tokens(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text.rstrip()):
        number, operator, other = match.groups()
        if other:
            raise ValueError(f"unexpected {other!r}")
        yield number or operator.replace("**", "^")
    yield ""


class _Parser:
    def __init__(self, tokens: Iterator[str]) -> None:
        self._tokens = tokens
        self.numbers: list[Fraction] = []
        self.operators: set[str] = set()
        self.token = next(tokens)

    def _take(self) -> str:
        token, self.token = self.token, next(self._tokens, "")
        return token

    def sum(self, depth: int) -> Fraction:
        value = self._product(depth)
        while self.token in ("+", "-"):
            operator = self._operator()
            other = self._product(depth)
            value = _bounded(value + other if operator == "+" else value - other)
        return value

    def _product(self, depth: int) -> Fraction:
        value = self._signed(depth)
        while self.token in ("*", "/"):
            operator = self._operator()
            other = self._signed(depth)
            if operator == "/" and other == 0:
                raise ValueError("division by zero")
            value = _bounded(value * other if operator == "*" else value / other)
        return value

    def _signed(self, depth: int) -> Fraction:
        negative = False
        while self.token in ("+", "-"):
            negative ^= self._operator() == "-"
        value = self._power(depth)
        return -value if negative else value

    def _power(self, depth: int) -> Fraction:
        base = self._atom(depth)
        if self.token != "^":
            return base
        self._operator()
        if depth >= MAX_DEPTH:
            raise ValueError("nested too deeply")
        return _raise(base, self._signed(depth + 1))

    def _atom(self, depth: int) -> Fraction:
        token = self._take()
        if token == "(":
            if depth >= MAX_DEPTH:
                raise ValueError("nested too deeply")
            value = self.sum(depth + 1)
            if self._take() != ")":
                raise ValueError("a parenthesis is not closed")
            return value
        if not token or not token[-1].isdigit():
            raise ValueError(f"unexpected {token!r}" if token else "the expression ends too early")
        value = _bounded(Fraction(token))
        self.numbers.append(value)
        return value

    def _operator(self) -> str:
        operator = self._take()
        self.operators.add(operator)
        return operator


def _raise(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise ValueError("an exponent must be a whole number")
    if base == 0 and exponent < 0:
        raise ValueError("division by zero")
    if abs(base) not in (0, 1) and _bits(base) * abs(exponent.numerator) > 2 * MAX_BITS:
        raise ValueError("a power is too large")
    power = exponent.numerator if abs(base) not in (0, 1) else exponent.numerator % 2 + 2 * (exponent != 0)
    return _bounded(base**power)


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _bounded(value: Fraction) -> Fraction:
    if _bits(value) > MAX_BITS:
        raise ValueError("a value is too large")
    return value
