"""Exact evaluation of rational expressions: as a fraction, or at points of a prime field.

Two polynomials or rational functions of total degree d that differ agree at a random point of the field of p
elements with probability at most d/p (Schwartz, 1980; Zippel, 1979). With p = 2^61 - 1, the degree capped at 10^6 and
three points, a false match has probability below 1e-36.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from assay.verifiers.answers.nodes import Add, Call, Mul, Node, Num, Pow, Sym

PRIME = 2**61 - 1
MAX_DEGREE = 10**6
MAX_BITS = 16_384
"""Largest numerator or denominator of an exact value."""


class NotRational(Exception):
    """The expression is no rational function of its symbols within the limits."""


class Pole(Exception):
    """The expression divides by zero at this point."""


def rational(node: Node) -> Fraction:
    """Return the exact value of a constant expression; `NotRational` or `Pole` when it has none within the limits."""
    if isinstance(node, Num):
        return node.value
    if isinstance(node, Add):
        return _bounded(sum((rational(t) for t in node.terms), Fraction(0)))
    if isinstance(node, Mul):
        product = Fraction(1)
        for factor in node.factors:
            product = _bounded(product * rational(factor))
        return product
    if isinstance(node, Pow):
        exponent = _integer(node.exponent)
        base = rational(node.base)
        if base == 0 and exponent <= 0:
            raise Pole
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if base not in (0, 1, -1) and abs(exponent) * size > MAX_BITS:
            raise NotRational
        return base**exponent if base not in (1, -1) else base ** (exponent % 2)
    if isinstance(node, Call) and node.name in _WHOLE:
        args = [_integer(a) for a in node.args]
        arity, largest, function = _WHOLE[node.name]
        if len(args) != arity or min(args) < 0 or max(args) > largest:
            raise NotRational
        return _bounded(Fraction(function(*args)))
    if isinstance(node, Call) and node.name == "deg":
        return rational(node.args[0])
    raise NotRational


_WHOLE: dict[str, tuple[int, int, Callable[..., int]]] = {
    "factorial": (1, 1500, math.factorial),
    "binom": (2, 2000, math.comb),
}


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise NotRational
    return value


def _integer(node: Node) -> int:
    value = rational(node)
    if value.denominator != 1 or abs(value.numerator) > 10**9:
        raise NotRational
    return value.numerator


def degree(node: Node) -> int:
    """Return a bound of the total degree of a rational function; `NotRational` for anything else or beyond limits."""
    if isinstance(node, Num):
        return 0
    if isinstance(node, Sym):
        return 1
    if isinstance(node, Add | Mul):
        total = sum(degree(child) for child in node.children())
    elif isinstance(node, Pow):
        total = degree(node.base) * abs(_integer(node.exponent))
    else:
        raise NotRational
    if total > MAX_DEGREE:
        raise NotRational
    return total


def modular(node: Node, point: Mapping[str, int]) -> int:
    """Return the value modulo `PRIME` at a point; `NotRational` for anything but a rational function."""
    if isinstance(node, Num):
        value = node.value
        return value.numerator * _inverse(value.denominator) % PRIME
    if isinstance(node, Sym):
        return point[node.name]
    if isinstance(node, Add):
        return sum(modular(t, point) for t in node.terms) % PRIME
    if isinstance(node, Mul):
        product = 1
        for factor in node.factors:
            product = product * modular(factor, point) % PRIME
        return product
    if isinstance(node, Pow):
        exponent = _integer(node.exponent)
        base = modular(node.base, point)
        return pow(base, exponent, PRIME) if exponent >= 0 else pow(_inverse(base), -exponent, PRIME)
    raise NotRational


def _inverse(value: int) -> int:
    if value % PRIME == 0:
        raise Pole
    return pow(value, -1, PRIME)
