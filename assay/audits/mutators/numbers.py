r"""Mutants of rational golds: integers, decimals, fractions.

Classes: `integer`, `decimal`, `fraction`. Every mutant is proved by reading it back (see `exact`); only square roots
beyond the reader's range bring an argument of their own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

from assay.audits.mutators.base import Mutant, certified, claimed, retyped
from assay.audits.mutators.exact import parse_exact
from assay.audits.mutators.render import decimal, grouped, latex_fraction, slash

_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_VULGAR = {Fraction(1, 2): "½", Fraction(1, 4): "¼"}


def number_mutants(gold: str, rng: random.Random) -> Iterator[Mutant]:
    """Yield mutants of a gold that is one rational number."""
    value = parse_exact(gold)
    q = value.rational if value is not None else None
    if value is None or q is None:
        return
    cls = "integer" if q.denominator == 1 else "decimal" if "." in gold else "fraction"
    for family, text, convention in _equal(gold, q):
        yield from certified(value, text, cls, family, "equal", convention=convention)
    for family, text in _different(gold, q, rng):
        yield from certified(value, text, cls, family, "different", convention=_tolerance(cls, text, q))
    yield from retyped(gold, value, cls)
    if q.denominator == 1 and q > 0:
        yield _near_square(cls, int(q))


def _equal(gold: str, q: Fraction) -> Iterator[tuple[str, str, str]]:
    finite = decimal(q)
    if q.denominator == 1:
        yield "point-zero", f"{q}.0", ""
        yield "denominator-one", latex_fraction(q).join((r"\frac{", "}{1}")), "simplification"
        if abs(q) >= 1000:
            yield "thousands", grouped(q), ""
            yield "thousands-braced", grouped(q, "{,}"), ""
        if q >= 0:
            yield "plus-sign", f"+{q}", ""
        yield from (("scientific", text, "") for text in _scientific(q))
    else:
        yield "frac", latex_fraction(q), ""
        yield "dfrac", latex_fraction(q, r"\dfrac"), ""
        yield "slash", slash(q), ""
        yield "spaced-slash", slash(q).replace("/", " / "), ""
        yield "sign-inside", rf"\frac{{{q.numerator}}}{{{q.denominator}}}", ""
        yield "scaled-fraction", rf"\frac{{{q.numerator * 3}}}{{{q.denominator * 3}}}", "simplification"
        if q in _VULGAR:
            yield "vulgar-fraction", _VULGAR[q], ""
    if finite is not None and q.denominator != 1:
        yield "decimal", finite, ""
        yield "trailing-zero", f"{finite}0", ""
        if abs(q) < 1:
            yield "no-leading-zero", finite.replace("0.", ".", 1), ""
    if q < 0:
        yield "unicode-minus", slash(q).replace("-", "−"), ""
    yield "dollars", f"${gold.strip().strip('$')}$", ""
    yield "full-width", "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in slash(q)), ""


def _scientific(q: Fraction) -> Iterator[str]:
    digits = str(abs(q.numerator))
    zeros = len(digits) - len(digits.rstrip("0"))
    if q and zeros >= 3:
        yield rf"{q.numerator // 10**zeros}\times 10^{{{zeros}}}"
        yield f"{q.numerator // 10**zeros}×10{str(zeros).translate(_SUPERSCRIPT)}"


def _different(gold: str, q: Fraction, rng: random.Random) -> Iterator[tuple[str, str]]:
    shown = latex_fraction(q)
    for family, value in _other_values(q, rng):
        yield family, decimal(value) or latex_fraction(value) if "." in gold else latex_fraction(value)
    yield "times-root", rf"{shown}\sqrt{{2}}" if q.denominator == 1 else rf"{shown}\cdot\sqrt{{2}}"
    yield "times-pi", rf"{shown}\pi"
    yield "times-variable", f"{shown}x"
    yield "plus-term", f"{shown}+x"
    yield "squared", rf"\left({shown}\right)^{{2}}"
    if q.denominator == 1 and 3 <= q <= 500:
        yield "factorial", f"{q}!"
    if q.denominator != 1:
        yield "numerator-only", str(q.numerator)


def _other_values(q: Fraction, rng: random.Random) -> Iterator[tuple[str, Fraction]]:
    step = Fraction(1) if q.denominator == 1 else _last_place(q)
    yield "off-by-one", q + step
    yield "off-by-one", q - step
    yield "sign", -q
    yield "ten-times", q * 10
    yield "tenth", q / 10
    yield "double", q * 2
    if q:
        yield "reciprocal", 1 / q
    for digits, family in _other_digits(str(abs(q.numerator)), rng):
        yield family, Fraction(int(digits), q.denominator) * (-1 if q < 0 else 1)


def _last_place(q: Fraction) -> Fraction:
    finite = decimal(q)
    return Fraction(1, q.denominator) if finite is None else Fraction(1, 10 ** len(finite.partition(".")[2]))


def _other_digits(digits: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    if len(digits) > 1:
        yield digits[:-1], "last-digit-dropped"
        yield digits[1:], "first-digit-dropped"
        swaps = [i for i in range(len(digits) - 1) if digits[i] != digits[i + 1]]
        if swaps:
            i = rng.choice(swaps)
            yield digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :], "digits-swapped"
    i = rng.randrange(len(digits))
    yield digits[:i] + str((int(digits[i]) + rng.randint(1, 9)) % 10) + digits[i + 1 :], "digit-changed"


def _tolerance(cls: str, text: str, q: Fraction) -> str:
    """A decimal that is off by less than 1 % may be right under a tolerance; nothing else may."""
    other = parse_exact(text)
    r = other.rational if other is not None else None
    near = r is not None and abs(r - q) <= abs(q) / 100
    return "tolerance" if near and cls != "integer" else ""


def _near_square(cls: str, n: int) -> Mutant:
    zeros = len(str(n)) - 1
    power = zeros >= 3 and n == 10**zeros
    radicand = rf"10^{{{2 * zeros}}}+1" if power else str(n * n + 1)
    family = "root-next-to-power" if power else "root-next-to-it"
    argument = "the square of the response is that of the gold plus 1"
    return claimed(rf"\sqrt{{{radicand}}}", cls, family, "different", "squares", argument)
