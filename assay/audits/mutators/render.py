r"""Write exact values as LaTeX, in the many ways in which people write them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from assay.audits.mutators.exact import Exact, Monomial


def latex_fraction(q: Fraction, command: str = r"\frac") -> str:
    r"""Return `-\frac{1}{2}`, or an integer as it is."""
    sign = "-" if q < 0 else ""
    q = abs(q)
    return f"{sign}{q.numerator}" if q.denominator == 1 else f"{sign}{command}{{{q.numerator}}}{{{q.denominator}}}"


def slash(q: Fraction) -> str:
    """Return `-1/2`."""
    return str(q)


def decimal(q: Fraction, most: int = 20) -> str | None:
    """Return the finite decimal of a fraction, or None when it has none of at most `most` places."""
    for places in range(most + 1):
        scaled = q * 10**places
        if scaled.denominator == 1:
            digits = f"{abs(scaled.numerator):0{places + 1}d}"
            whole, part = (digits[:-places], digits[-places:]) if places else (digits, "")
            return ("-" if q < 0 else "") + whole + (f".{part}" if part else "")
    return None


def grouped(q: Fraction, separator: str = ",") -> str:
    """Return an integer with thousands separators."""
    return f"{q.numerator:,}".replace(",", separator)


def latex(value: Exact, order: Sequence[Monomial] | None = None, *, times: str = "") -> str:
    """Return a sum as LaTeX, its terms in the given order; `times` goes between factors."""
    out = ""
    for monomial in order if order is not None else canonical_order(value):
        term = latex_term(monomial, value.terms[monomial], times=times)
        out += term if not out or term.startswith("-") else f"+{term}"
    return out or "0"


def canonical_order(value: Exact) -> list[Monomial]:
    """Return the monomials as people write them: highest degree first, numbers last."""
    return sorted(value.terms, key=lambda m: (-sum(e for _, e in m[1]), m[1], -m[0]))


def latex_term(monomial: Monomial, q: Fraction, *, times: str = "", flip: bool = False) -> str:
    r"""Return one term, such as `-\frac{3}{2}\sqrt{2}x^{2}`; `flip` writes the coefficient last."""
    d, powers = monomial
    factors = ([rf"\sqrt{{{d}}}"] if d != 1 else []) + [_power(name, e) for name, e in powers]
    if not factors:
        return latex_fraction(q)
    sign = "-" if q < 0 else ""
    size = abs(q)
    coefficient = [] if size == 1 else [latex_fraction(size)]
    parts = factors + coefficient if flip else coefficient + factors
    return sign + (times or " ").join(parts) if times or flip else sign + _joined(parts)


def _joined(parts: Sequence[str]) -> str:
    out = ""
    for part in parts:
        # A command such as \pi must not swallow the letter after it.
        gap = " " if out and out[-1].isalpha() and "\\" in out and part[0].isalpha() else ""
        out += gap + part
    return out


def _power(name: str, exponent: int) -> str:
    shown = {"pi": r"\pi", "e": r"\mathrm{e}"}.get(name, name)
    return shown if exponent == 1 else f"{shown}^{{{exponent}}}"
