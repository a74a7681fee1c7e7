"""Equality of two expressions: exactly where that is cheap, else numerically by convergence.

Constants: exact fractions; else both values to P and to 2P digits. A difference that is zero shrinks as P grows,
one that is not zero stays what it is, however small (1e-7 against 2e-7, sqrt(10^40+1) against 10^20).

Functions: rational ones at random points of a prime field; all others at random real points, on the part where both
are defined over the reals, else at complex points. Points derive from a hash of both sides: repeatable, yet not to be
aimed at by whoever writes one side.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from assay.verifiers.answers import exactly
from assay.verifiers.answers.evaluate import (
    LOCK,
    MAX_PRECISION,
    MP,
    Budget,
    CannotEvaluate,
    Evaluation,
    OffDomain,
    TooLarge,
    Unsupported,
)
from assay.verifiers.answers.nodes import Add, Big, Call, Const, Mul, Node, Num, Pow, symbols, walk

POINTS = 6
"""Random points at which two functions must agree."""
_ENOUGH = 4
"""Valid points that suffice when the domain is narrow."""
_DIGITS = 50
_MOST_DIGITS = 400
"""Precision beyond which a point is given up."""

_INTEGER_NAMES = frozenset("nkmijNpqrt")


class Undecided(Exception):
    """Neither equality nor difference could be shown; `args[0]` says why."""


def equal(left: Node, right: Node, budget: Budget) -> bool:
    """Return whether two expressions are equal wherever both are defined.

    Raises:
        Undecided: no numeric rule, or a number too large to be formed.
        BudgetExceeded: the steps are used up.
    """
    if left == right or _ordered(left) == _ordered(right):
        return not _undefined(left)
    free = symbols(left) | symbols(right)
    if not free:
        return _same_number(left, right, budget)
    try:
        if exactly.degree(left) + exactly.degree(right) <= exactly.MAX_DEGREE:
            return _same_rational_function(left, right, free, budget)
    except (exactly.NotRational, exactly.Pole):
        pass
    return _either_logarithm(left, right, lambda natural: _same_function(left, right, free, budget, natural))


def _ordered(node: Node) -> Node:
    """Return the expression with its terms and factors in a fixed order."""
    match node:
        case Add():
            return Add(tuple(sorted(map(_ordered, node.terms), key=repr)))
        case Mul():
            return Mul(tuple(sorted(map(_ordered, node.factors), key=repr)))
        case Pow():
            return Pow(_ordered(node.base), _ordered(node.exponent))
        case Big():
            return replace(node, body=_ordered(node.body))
        case _:
            return node


def _undefined(node: Node) -> bool:
    """Whether a constant that equals itself by structure has no value at all, such as 0/0."""
    for part in walk(node):
        if isinstance(part, Pow) and part.base == Num(Fraction(0)) and isinstance(part.exponent, Num):
            return part.exponent.value <= 0
    return False


def _either_logarithm(left: Node, right: Node, same: Callable[[bool], bool]) -> bool:
    """Read a logarithm without a base as the natural one, else as that of base 10, on both sides alike."""
    if same(True):
        return True
    bare = any(
        isinstance(n, Call) and n.name == "log" and len(n.args) == 1 for side in (left, right) for n in walk(side)
    )
    return bare and same(False)


# -- numbers -----------------------------------------------------------------------------------------------------


def _same_number(left: Node, right: Node, budget: Budget) -> bool:
    try:
        return exactly.rational(left) == exactly.rational(right)
    except exactly.Pole:
        return False
    except exactly.NotRational:
        pass
    return _either_logarithm(left, right, lambda natural: _numerically_same(left, right, budget, natural))


def _numerically_same(left: Node, right: Node, budget: Budget, natural: bool) -> bool:
    real = not any(n == Const("i") for side in (left, right) for n in walk(side))
    with LOCK:
        try:
            try:
                return _converges_to_zero(left, right, budget, real, natural)
            except OffDomain:
                if not real:
                    raise
                return _converges_to_zero(left, right, budget, False, natural)
        except OffDomain:
            return False
        except CannotEvaluate as reason:
            if isinstance(reason, TooLarge) and _one_is_small(left, right, budget, natural):
                return False
            raise Undecided(str(reason) or type(reason).__name__) from None
        finally:
            MP.dps = 15


def _one_is_small(left: Node, right: Node, budget: Budget, natural: bool) -> bool:
    """Whether exactly one side can be formed, so that the other, which is too large, must differ."""
    formed = 0
    for side in (left, right):
        try:
            Evaluation({}, _DIGITS, budget, real=True, natural=natural).value(side)
            formed += 1
        except TooLarge:
            pass
        except CannotEvaluate:
            return False
    return formed == 1


def _converges_to_zero(left: Node, right: Node, budget: Budget, real: bool, natural: bool) -> bool:
    differences: list[Any] = []
    digits = 30
    for _ in range(4):
        MP.dps = digits
        run = Evaluation({}, digits, budget, real=real, natural=natural)
        one, two = run.value(left), run.value(right)
        difference = abs(one - two)
        scale = max(abs(one), abs(two))
        if difference > scale * MP.mpf(10) ** -6 and scale > 0 and run.magnitude < 40:
            return False
        if differences:
            before = differences[-1]
            if difference == 0 and before == 0:
                return True
            if abs(difference - before) <= before * MP.mpf(10) ** -3:
                return False
            if difference <= before * MP.mpf(10) ** -20:
                return True
        differences.append(difference)
        size = run.magnitude * 3 // 10
        if size > MAX_PRECISION:
            if difference > scale * MP.mpf(10) ** -10:
                return False
            raise TooLarge("the numbers are too large to be told apart")
        digits = min(MAX_PRECISION, max(2 * digits, _DIGITS + 2 * size))
    return False


# -- functions ---------------------------------------------------------------------------------------------------


def _random(left: Node, right: Node) -> random.Random:
    digest = hashlib.blake2b(f"{left}|{right}".encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))


def _same_rational_function(left: Node, right: Node, free: frozenset[str], budget: Budget) -> bool:
    chance = _random(left, right)
    names = sorted(free)
    valid = 0
    for _ in range(2 * POINTS):
        budget.spend(4)
        point = {name: chance.randrange(exactly.PRIME) for name in names}
        try:
            if exactly.modular(left, point) != exactly.modular(right, point):
                return False
        except exactly.Pole:
            continue
        valid += 1
        if valid == 3:
            return True
    return False


def _same_function(left: Node, right: Node, free: frozenset[str], budget: Budget, natural: bool) -> bool:
    chance = _random(left, right)
    names = sorted(free)
    imaginary = any(n == Const("i") for side in (left, right) for n in walk(side))
    rounds: list[tuple[bool, Callable[[int], dict[str, Any]]]] = []
    whole = _whole_names(left) | _whole_names(right)
    sums = any(isinstance(n, Big) for side in (left, right) for n in walk(side))
    if whole & free:
        rounds.append(
            (
                not imaginary,
                lambda _: {
                    n: MP.mpf(chance.randrange(2, 12 if sums else 25)) if n in whole else _real(chance, 0)
                    for n in names
                },
            )
        )
    else:
        rounds.append((not imaginary, lambda turn: {n: _real(chance, turn) for n in names}))
        if not imaginary:
            rounds.append((False, lambda _: {n: MP.mpc(_real(chance, 1), _real(chance, 1)) for n in names}))
    sampler = _Sampler(left, right, budget, natural)
    with LOCK:
        try:
            for real, draw in rounds:
                valid = 0
                for turn in range(4 * POINTS):
                    agree = sampler.agree(draw(turn), real)
                    if agree is False:
                        return False
                    valid += agree is True
                    if valid == POINTS:
                        return True
                if valid >= _ENOUGH:
                    return True
        finally:
            MP.dps = 15
    raise Undecided(sampler.reason or "no point of the common domain was found")


class _Sampler:
    """Compares two functions at one point after the other."""

    def __init__(self, left: Node, right: Node, budget: Budget, natural: bool) -> None:
        self.left, self.right, self.budget, self.natural = left, right, budget, natural
        self.reason = ""

    def agree(self, point: dict[str, Any], real: bool) -> bool | None:
        """Return whether the values agree, or None when the point tells nothing.

        A value computed to D digits through intermediate values up to 10^M has an absolute error below 10^(M+12-D).
        """
        digits = _DIGITS
        try:
            one, two, peak = self._values(point, real, digits)
            if peak > 6:
                digits = _DIGITS + 2 * peak
                if digits > _MOST_DIGITS:
                    return None
                one, two, peak = self._values(point, real, digits)
            error = MP.mpf(10) ** (peak + 12 - digits)
            if abs(one - two) > error:
                return False
            size = max(abs(one), abs(two))
            if size == 0 or size > error * 10**15:
                return True
            return self._agree_near_zero(point, real, 2 * digits + 40, size)
        except OffDomain:
            return None
        except Unsupported as reason:
            raise Undecided(str(reason)) from None
        except TooLarge as reason:
            self.reason = str(reason) or "the numbers are too large"
            return None

    def _agree_near_zero(self, point: dict[str, Any], real: bool, digits: int, before: Any) -> bool | None:
        """Tell values that are zero (they shrink with the precision) from small ones."""
        one, two, peak = self._values(point, real, digits)
        error = MP.mpf(10) ** (peak + 12 - digits)
        if abs(one - two) > error:
            return False
        size = max(abs(one), abs(two))
        return True if size > error * 10**15 or size < before * MP.mpf(10) ** -20 else None

    def _values(self, point: dict[str, Any], real: bool, digits: int) -> tuple[Any, Any, int]:
        MP.dps = digits
        run = Evaluation(point, digits, self.budget, real=real, natural=self.natural)
        one, two = run.value(self.left), run.value(self.right)
        return one, two, max(0, run.peak) * 3 // 10


def _real(chance: random.Random, turn: int) -> Any:
    """Return a coordinate: within (0, 1) first, where most functions are defined, then wider, then of either sign."""
    kind = turn % 4
    raw = MP.mpf(chance.getrandbits(60) | 1) / 2**60
    if kind == 0:
        return raw
    if kind == 1:
        return raw * 3 + MP.mpf(1) / 7
    if kind == 2:
        return raw * 6 - 3
    return -raw


def _whole_names(node: Node) -> frozenset[str]:
    """Return symbols that can only be whole numbers: bounds of sums, factorials, binomials, powers of -1, n*pi."""
    found: frozenset[str] = frozenset()
    for part in walk(node):
        if isinstance(part, Big) and part.high is not None:
            found |= symbols(part.high)
        elif isinstance(part, Call) and part.name in ("factorial", "factorial2", "binom", "gcd", "lcm"):
            found |= symbols(part)
        elif isinstance(part, Pow) and isinstance(part.base, Num) and part.base.value < 0:
            found |= symbols(part.exponent)
        elif isinstance(part, Call) and part.name in ("sin", "cos", "tan"):
            inside = list(walk(part))
            if Const("pi") in inside:
                found |= symbols(part) & _INTEGER_NAMES
    return found
