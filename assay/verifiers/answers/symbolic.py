"""The last tier: integrals, limits and long sums, simplified by sympy in a killable worker process.

What crosses the process boundary is our own syntax tree as nested lists, never text to be parsed there: sympy's parsers
evaluate Python. Only `assay.verifiers.pool` may run `equal_encoded`; it has no limits of its own.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from assay.verifiers.answers.nodes import Add, Big, Call, Const, Mul, Node, Num, Pow, Sym

MAX_NODES = 400
Encoded = list[Any]
_SYMPY_NAMES = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot", "arcsec": "asec", "arccsc": "acsc",
    "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh", "abs": "Abs", "floor": "floor", "ceil": "ceiling",
    "factorial": "factorial", "binom": "binomial", "ln": "log", "max": "Max", "min": "Min", "sgn": "sign",
    "gcd": "gcd", "lcm": "lcm",
}  # fmt: skip
_SAME_NAMES = frozenset(
    ["sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "sech", "csch", "log"]
)


def encode(node: Node) -> Encoded:
    """Return an expression as nested lists; `ValueError` for anything that sympy is not asked about."""
    count = [0]

    def walk(part: Node) -> Encoded:
        count[0] += 1
        if count[0] > MAX_NODES:
            raise ValueError("the expression is too large")
        match part:
            case Num():
                return ["num", str(part.value.numerator), str(part.value.denominator)]
            case Sym():
                return ["sym", part.name]
            case Const():
                return ["const", part.name]
            case Add():
                return ["add", *map(walk, part.terms)]
            case Mul():
                return ["mul", *map(walk, part.factors)]
            case Pow():
                return ["pow", walk(part.base), walk(part.exponent)]
            case Call() if part.name in _SAME_NAMES or part.name in _SYMPY_NAMES:
                return ["call", _SYMPY_NAMES.get(part.name, part.name), *map(walk, part.args)]
            case Call(name="root"):
                return ["pow", walk(part.args[1]), ["pow", walk(part.args[0]), ["num", "-1", "1"]]]
            case Big():
                bounds = [None if bound is None else walk(bound) for bound in (part.low, part.high)]
                return ["big", part.kind, part.variable, *bounds, walk(part.body)]
            case _:
                raise ValueError(f"{type(part).__name__} has no counterpart in sympy")

    return walk(node)


def equal_encoded(left: Encoded, right: Encoded) -> bool:
    """Return whether two encoded expressions are equal as far as sympy can tell. Runs in a worker."""
    import sympy

    difference = decode(left) - decode(right)
    done = difference.doit()
    if done == 0:
        return True
    if not done.free_symbols and not done.has(sympy.Integral, sympy.Sum, sympy.Product, sympy.Limit):
        return bool(abs(sympy.N(done, 50)) < sympy.Rational(1, 10**30))
    if not done.free_symbols:
        return bool(abs(sympy.N(done, 30)) < sympy.Rational(1, 10**20))
    return bool(sympy.simplify(done) == 0)


def decode(encoded: Encoded) -> Any:
    """Return the sympy expression of an encoded one."""
    import sympy

    kind, *rest = encoded
    match kind:
        case "num":
            value = Fraction(int(rest[0]), int(rest[1]))
            return sympy.Rational(value.numerator, value.denominator)
        case "sym":
            return sympy.Symbol(rest[0])
        case "const":
            return {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "inf": sympy.oo}[rest[0]]
        case "add":
            return sympy.Add(*map(decode, rest))
        case "mul":
            return sympy.Mul(*map(decode, rest))
        case "pow":
            return sympy.Pow(decode(rest[0]), decode(rest[1]))
        case "call":
            if rest[0] not in _SAME_NAMES and rest[0] not in _SYMPY_NAMES.values():
                raise ValueError(f"unknown function {rest[0]!r}")
            return getattr(sympy, rest[0])(*map(decode, rest[1:]))
        case _:
            return _decode_big(*rest)


def _decode_big(kind: str, variable: str, low: Encoded | None, high: Encoded | None, body: Encoded) -> Any:
    import sympy

    symbol = sympy.Symbol(variable)
    inside = decode(body)
    if kind == "lim" and low is not None:
        return sympy.Limit(inside, symbol, decode(low))
    if low is None or high is None:
        return sympy.Integral(inside, symbol)
    limits = (symbol, decode(low), decode(high))
    return {"sum": sympy.Sum, "prod": sympy.Product, "int": sympy.Integral}[kind](inside, limits)
