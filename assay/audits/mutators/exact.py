r"""Exact values: the ring in which certificates are proved.

An `Exact` is a sum of terms `q * sqrt(d) * pi^a * x^b ...` with rational `q`, square-free `d` and integer exponents.
The form is canonical: square roots of different square-free numbers are linearly independent over the rationals
(Besicovitch 1940), pi and e are transcendental, variables are free. Two values are therefore equal (as numbers, or as
functions wherever both are defined) if and only if their terms are. e and pi never occur together, since nobody knows
whether they are independent, and `i` never occurs.

`parse_exact` is strict. It consumes all the text or returns None, and it returns None for whatever has two readings:
`1/2x`, `2 3`, `2\frac{1}{2}`, `f(x)`. It is the reader of the audit's own texts and golds, not a grader.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

Monomial = tuple[int, tuple[tuple[str, int], ...]]
"""`(d, ((generator, exponent), ...))`: sqrt(d) times powers of generators, sorted by name, exponents not zero."""

ONE: Monomial = (1, ())
_MAX_BITS = 12_000
_MAX_TERMS = 64
_MAX_RADICAND = 10**8
_MAX_FACTORIAL = 1000


class Unreadable(ValueError):
    """The text is not in the language, or has two readings."""


@dataclass(frozen=True)
class Exact:
    """A canonical sum. `terms` has no zero coefficient."""

    terms: Mapping[Monomial, Fraction]

    @staticmethod
    def of(value: int | Fraction) -> Exact:
        """Return a rational number."""
        return Exact({ONE: Fraction(value)} if value else {})

    @staticmethod
    def generator(name: str) -> Exact:
        """Return a variable, pi, or e."""
        return Exact({(1, ((name, 1),)): Fraction(1)})

    @staticmethod
    def root(radicand: Fraction) -> Exact:
        """Return the square root of a positive rational number."""
        n = radicand.numerator * radicand.denominator
        if n < 0 or n > _MAX_RADICAND:
            raise Unreadable(f"square root of {radicand}")
        outside, inside = square_parts(n)
        return Exact({(inside, ()): Fraction(outside, radicand.denominator)} if n else {})

    @property
    def rational(self) -> Fraction | None:
        """The value where it is a rational number."""
        if not self.terms:
            return Fraction(0)
        return self.terms[ONE] if set(self.terms) == {ONE} else None

    @property
    def generators(self) -> set[str]:
        """Names of the variables and constants in use."""
        return {name for _, powers in self.terms for name, _ in powers}

    @property
    def variables(self) -> set[str]:
        """Names of the variables in use."""
        return self.generators - {"pi"}

    def __add__(self, other: Exact) -> Exact:
        out = dict(self.terms)
        for monomial, q in other.terms.items():
            out[monomial] = out.get(monomial, Fraction(0)) + q
        return _checked(out)

    def __neg__(self) -> Exact:
        return Exact({m: -q for m, q in self.terms.items()})

    def __sub__(self, other: Exact) -> Exact:
        return self + -other

    def __mul__(self, other: Exact) -> Exact:
        out: dict[Monomial, Fraction] = {}
        for (d1, p1), q1 in self.terms.items():
            for (d2, p2), q2 in other.terms.items():
                common = math.gcd(d1, d2)
                powers = dict(p1)
                for name, exponent in p2:
                    powers[name] = powers.get(name, 0) + exponent
                key = (d1 * d2 // common**2, tuple(sorted((n, e) for n, e in powers.items() if e)))
                out[key] = out.get(key, Fraction(0)) + q1 * q2 * common
        return _checked(out)

    def inverse(self) -> Exact:
        """Return 1 / self for a single term; `Unreadable` for zero and for sums."""
        if len(self.terms) != 1:
            raise Unreadable("division by a sum or by zero")
        (((d, powers), q),) = self.terms.items()
        return Exact({(d, tuple((n, -e) for n, e in powers)): 1 / (q * d)})

    def power(self, exponent: int) -> Exact:
        """Return an integer power, within limits."""
        base = self if exponent >= 0 else self.inverse()
        size = max((_bits(q) for q in base.terms.values()), default=1)
        if abs(exponent) * size > _MAX_BITS or (len(base.terms) > 1 and abs(exponent) > 6):
            raise Unreadable("power too large")
        out = Exact.of(1)
        for _ in range(abs(exponent)) if len(base.terms) > 1 else ():
            out = out * base
        return out if len(base.terms) > 1 else _monomial_power(base, abs(exponent))

    def __str__(self) -> str:
        return " + ".join(_term_text(m, q) for m, q in sorted(self.terms.items())) or "0"


def _monomial_power(base: Exact, exponent: int) -> Exact:
    if not base.terms:
        if exponent == 0:
            raise Unreadable("0^0")
        return base
    (((d, powers), q),) = base.terms.items()
    inside = d if exponent % 2 else 1
    return Exact(
        {(inside, tuple((n, e * exponent) for n, e in powers if exponent)): q**exponent * d ** (exponent // 2)}
    )


def _bits(q: Fraction) -> int:
    return q.numerator.bit_length() + q.denominator.bit_length()


def _checked(terms: dict[Monomial, Fraction]) -> Exact:
    kept = {m: q for m, q in terms.items() if q}
    if len(kept) > _MAX_TERMS or any(_bits(q) > 2 * _MAX_BITS for q in kept.values()):
        raise Unreadable("too large")
    return Exact(kept)


def _term_text(monomial: Monomial, q: Fraction) -> str:
    d, powers = monomial
    shown = str(q) if max(q.numerator.bit_length(), q.denominator.bit_length()) < 400 else "(a number of > 120 digits)"
    factors = [shown, *([f"sqrt({d})"] if d != 1 else []), *(n if e == 1 else f"{n}^{e}" for n, e in powers)]
    return "*".join(factors)


def square_parts(n: int) -> tuple[int, int]:
    """Return `(a, b)` with n = a²b and b square-free."""
    outside, inside, p = 1, 1, 2
    while p * p <= n:
        count = 0
        while n % p == 0:
            n //= p
            count += 1
        outside *= p ** (count // 2)
        inside *= p ** (count % 2)
        p += 1
    return outside, inside * n


_UNICODE = {"−": "-", "π": r"\pi ", "×": r"\times ", "·": r"\cdot ", "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}"} | {
    chr(0xFF10 + i): str(i) for i in range(10)
}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_WORDS = re.compile(
    r"[a-zA-Z]{3,}|(?<![a-zA-Z])(?:cm|mm|km|kg|mg|ft|in|hr|mi|lb|oz|ml|mL|pm|am|no|or|is|of|to|if|th|st|nd)(?![a-zA-Z])"
)
"""Words and units: letters that are no product of variables."""
_LAYOUT = re.compile(r"\\(?:left|right|,|;|!|:|quad|qquad|displaystyle|\s)|[\s~]")
_TOKEN = re.compile(
    r"(?P<number>\d{1,3}(?:(?:,|\{,\})\d{3})+(?![\d.,])|\d+\.\d+|\d+\.(?!\d)|\.\d+|\d+)"
    r"|(?P<euler>\\mathrm\{e\})"
    r"|(?P<command>\\(?:[dtc]?frac|sqrt|cdot|times|pi)(?![a-zA-Z]))"
    r"|(?P<letter>[a-zA-Z])"
    r"|(?P<symbol>[-+*/^!(){}\[\]])"
)


def tokens(text: str, *, grouped: bool = False) -> list[str]:
    """Split a text and drop its layout. `Unreadable` for anything outside the language.

    `1,234` may be one number or two; only with `grouped` is it one.
    """
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "$":
        text = text[1:-1]
    text = re.sub(r"√\{?(\d+)\}?", r"\\sqrt{\1}", text)
    text = re.sub(r"([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "^{" + m.group(1).translate(_SUPERSCRIPTS) + "}", text)
    text = "".join(_UNICODE.get(c, c) for c in text)
    if _WORDS.search(re.sub(r"\\[a-zA-Z]+", "", text)) or re.search(r"\d\s+\d", text):
        raise Unreadable("words, or numbers side by side")
    out: list[str] = []
    position = 0
    while position < len(text):
        if gap := _LAYOUT.match(text, position):
            position = gap.end()
            continue
        found = _TOKEN.match(text, position)
        if found is None:
            raise Unreadable(f"{text[position : position + 12]!r}")
        if "," in found.group() and "{" not in found.group() and not grouped:
            raise Unreadable("a comma")
        out.append("e" if found.lastgroup == "euler" else found.group())
        position = found.end()
    return out


def parse_exact(text: str, *, grouped: bool = False) -> Exact | None:
    """Return the value of a text, or None when it is not in the language or has two readings."""
    try:
        parser = _Parser(tokens(text, grouped=grouped))
        value = parser.sum()
        parser.end()
    except (Unreadable, RecursionError, ZeroDivisionError):
        return None
    names = value.generators
    return None if "i" in names or {"pi", "e"} <= names else value


class _Parser:
    """Recursive descent over tokens."""

    def __init__(self, items: list[str]) -> None:
        self._items, self._at = items, 0

    def _peek(self) -> str:
        return self._items[self._at] if self._at < len(self._items) else ""

    def _take(self, *expected: str) -> str:
        token = self._peek()
        if not token or (expected and token not in expected):
            raise Unreadable(f"{token!r} where {expected} was expected")
        self._at += 1
        return token

    def end(self) -> None:
        if self._peek():
            raise Unreadable(f"{self._peek()!r} is left over")

    def sum(self) -> Exact:
        value = self._signed_product()
        while self._peek() in ("+", "-"):
            value = value + self._product() if self._take() == "+" else value - self._product()
        return value

    def _signed_product(self) -> Exact:
        if self._peek() in ("+", "-"):
            return self._product() if self._take() == "+" else -self._product()
        return self._product()

    def _product(self) -> Exact:
        value, previous = self._factor()
        divided = False
        while True:
            token = self._peek()
            if token in ("*", r"\cdot", r"\times"):
                self._take()
                factor, previous = self._factor()
                value = value * factor
            elif token == "/":
                self._take()
                factor, previous = self._factor()
                value, divided = value * factor.inverse(), True
            elif token and (token[0].isalpha() or token[0] == "\\" or token == "("):
                factor, kind = self._factor()
                if divided or {previous, kind} <= {"number", "frac"} or (token == "(" and previous == "letter"):
                    raise Unreadable("two readings")
                value, previous = value * factor, kind
            else:
                return value

    def _factor(self) -> tuple[Exact, str]:
        value, kind = self._atom()
        if self._peek() == "!":
            n = value.rational
            if kind != "number" or n is None or n.denominator != 1 or n > _MAX_FACTORIAL:
                raise Unreadable("factorial")
            self._take()
            value = Exact.of(math.factorial(int(n)))
        if self._peek() == "^":
            self._take()
            value = value.power(self._exponent())
            if self._peek() in ("^", "!"):
                raise Unreadable("two readings")
        return value, kind

    def _exponent(self) -> int:
        braced = self._peek() == "{"
        if braced:
            self._take()
        sign = -1 if braced and self._peek() == "-" else 1
        if sign < 0:
            self._take()
        token = self._take()
        if not token.isdigit() or (not braced and len(token) > 1):
            raise Unreadable("exponent")
        if braced:
            self._take("}")
        return sign * int(token)

    def _atom(self) -> tuple[Exact, str]:
        token = self._take()
        if token[0].isdigit() or token[0] == ".":
            return Exact.of(Fraction(token.replace("{,}", "").replace(",", "").rstrip("."))), "number"
        if token.isalpha():
            return Exact.generator(token), "letter"
        if token == r"\pi":
            return Exact.generator("pi"), "constant"
        if token.endswith("frac"):
            return self._braced() * self._braced().inverse(), "frac"
        if token == r"\sqrt":
            radicand = self._braced().rational
            if radicand is None:
                raise Unreadable("square root of what is no number")
            return Exact.root(radicand), "root"
        if token in ("(", "{"):
            value = self.sum()
            self._take(")" if token == "(" else "}")
            return value, "group"
        raise Unreadable(token)

    def _braced(self) -> Exact:
        self._take("{")
        value = self.sum()
        self._take("}")
        return value


def split_top(text: str, separator: str = ",") -> Iterator[str]:
    """Yield the parts of a text between separators that no bracket encloses."""
    depth, start = 0, 0
    for i, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == separator and depth == 0:
            yield text[start:i]
            start = i + 1
    yield text[start:]
