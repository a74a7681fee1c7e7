r"""Mutants of irrational numbers (`3\sqrt{2}`, `1-1/\mathrm{e}`, `\frac{\pi}{2}`) and of polynomials (`2x+3h`).

Classes: `irrational`, `polynomial`. All proofs are by reading back, see `exact`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

from assay.audits.mutators.base import Mutant, certified, retyped
from assay.audits.mutators.exact import Exact, Monomial, parse_exact
from assay.audits.mutators.render import canonical_order, latex, latex_term

_LETTERS = "abcdhkmnpqrstuvwxyz"


def algebra_mutants(gold: str, rng: random.Random) -> Iterator[Mutant]:
    """Yield mutants of a gold that is an exact value but no rational number."""
    value = parse_exact(gold)
    if value is None or value.rational is not None:
        return
    cls = "polynomial" if value.variables - {"e"} else "irrational"
    for family, text, convention in _equal(value):
        if text != gold:
            yield from certified(value, text, cls, family, "equal", convention=convention)
    yield from retyped(gold, value, cls)
    for family, other, convention in _different(value, rng):
        yield from certified(value, latex(other), cls, family, "different", convention=convention)


def _equal(value: Exact) -> Iterator[tuple[str, str, str]]:
    order = canonical_order(value)
    plain = latex(value)
    yield "canonical", plain, ""
    yield "dollars", f"${plain}$", ""
    yield "times-sign", latex(value, times=r" \cdot "), ""
    yield "dfrac", plain.replace(r"\frac", r"\dfrac"), ""
    yield "thin-space", plain.replace("+", r"\,+\,"), ""
    if len(order) > 1:
        yield "commuted-sum", latex(value, order[::-1]), ""
        yield "left-right", rf"\left({plain}\right)", ""
    else:
        ((monomial, q),) = value.terms.items()
        yield "commuted-product", latex_term(monomial, q, times=r" \cdot ", flip=True), ""
    common = Fraction(1)
    for q in value.terms.values():
        if q.denominator != 1:
            common = max(common, Fraction(q.denominator))
    if common != 1:
        yield "common-denominator", rf"\frac{{{latex(value * Exact.of(common))}}}{{{common}}}", ""
    elif len(order) > 1:
        yield "factor-taken-out", rf"2\left({latex(value * Exact.of(Fraction(1, 2)))}\right)", "simplification"
    yield "unicode", plain.replace(r"\pi", "π").replace("-", "−"), ""


def _different(value: Exact, rng: random.Random) -> Iterator[tuple[str, Exact, str]]:
    order = canonical_order(value)
    chosen = rng.choice(order)
    yield "coefficient", _changed(value, chosen, value.terms[chosen] + 1), ""
    yield "sign", -value, ""
    yield "double", value * Exact.of(2), ""
    yield "plus-one", value + Exact.of(1), ""
    for monomial in order:
        rest = _changed(value, monomial, Fraction(0))
        if len(order) > 1:
            yield "term-dropped", rest, ""
            yield "term-sign", _changed(value, monomial, -value.terms[monomial]), ""
        if monomial != (1, ()):
            # 4 sqrt(2) -> 4, 2x+3h -> 2x+3: what a grader reads that stops early or eats units.
            yield "factor-dropped", rest + Exact.of(value.terms[monomial]), ""
            yield from _other_factors(value, rest, monomial, rng)


def _other_factors(
    value: Exact, rest: Exact, monomial: Monomial, rng: random.Random
) -> Iterator[tuple[str, Exact, str]]:
    (d, powers), q = monomial, value.terms[monomial]
    if d != 1:
        yield "radicand", rest + Exact({(_next_square_free(d), powers): q}), ""
    for name, exponent in powers:
        others = tuple(p for p in powers if p[0] != name)
        if name == "pi":
            yield "constant", rest + Exact({(d, tuple(sorted((*others, ("e", exponent))))): q}), ""
            continue
        if name != "e":
            free = [c for c in _LETTERS if c not in value.variables]
            new = rng.choice(free)
            renamed = "" if any(name == n for m in rest.terms for n, _ in m[1]) else "renaming"
            yield "variable", rest + Exact({(d, tuple(sorted((*others, (new, exponent))))): q}), renamed
        if exponent > 0:
            yield "exponent", rest + Exact({(d, tuple(sorted((*others, (name, exponent + 1))))): q}), ""


def _changed(value: Exact, monomial: Monomial, q: Fraction) -> Exact:
    return Exact({m: c for m, c in (dict(value.terms) | {monomial: q}).items() if c})


def _next_square_free(d: int) -> int:
    return next(n for n in range(d + 1, d + 10) if all(n % (p * p) for p in (2, 3, 5, 7)) and n > 1)
