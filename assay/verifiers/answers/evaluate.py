"""Numeric values of expressions at chosen points, to a chosen precision, within a budget of steps.

Real evaluation refuses to leave the reals (`OffDomain`), so that a square root of a negative number marks a point
outside the domain instead of choosing a branch. Complex evaluation uses principal branches. Numbers whose binary
exponent would exceed `MAX_EXPONENT_BITS` are never formed (`TooLarge`): a tower of powers costs nothing.

mpmath keeps its precision and its caches of constants in shared state, hence one lock around each evaluation.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from typing import Any

import mpmath

from assay.verifiers.answers.nodes import Add, Based, Big, Call, Const, Mul, Node, Num, Pow, Sym

LOCK = threading.RLock()
MP = mpmath.MPContext()
"""Our own context: nobody else's precision is changed. Use only while holding `LOCK`."""
MAX_EXPONENT_BITS = 2**40
MAX_ANGLE_BITS = 1000
"""Binary exponent of the largest angle: its reduction to one turn takes that many digits of pi."""
MAX_PRECISION = 4000
"""Decimal digits."""
MAX_GAMMA_DIGITS = 130
MAX_SUM = 200
"""Terms of a finite sum or product that is written out."""


class CannotEvaluate(Exception):
    """There is no value here: base of the reasons below."""


class OffDomain(CannotEvaluate):
    """The point lies outside the domain (real evaluation), or at a pole."""


class TooLarge(CannotEvaluate):
    """The number is too large to be written as a floating-point number."""


class Unsupported(CannotEvaluate):
    """There is no numeric rule for this node."""


class BudgetExceeded(Exception):
    """The comparison used up its steps."""


class Budget:
    """Steps that one comparison may use; a step is about ten microseconds."""

    __slots__ = ("left", "limit")

    def __init__(self, steps: int) -> None:
        self.limit = self.left = steps

    def spend(self, steps: int) -> None:
        """Use up steps or raise `BudgetExceeded`."""
        self.left -= steps
        if self.left < 0:
            raise BudgetExceeded


class Evaluation:
    """One evaluation at one point.

    `peak` is the largest binary exponent of a value met on the way, `magnitude` the largest in absolute value.
    """

    def __init__(
        self, point: Mapping[str, Any], digits: int, budget: Budget, *, real: bool, natural: bool = True
    ) -> None:
        """`natural` tells whether a logarithm without a base is the natural one or that of base 10."""
        self.point, self.real, self.budget, self.natural = point, real, budget, natural
        self.cost = 1 + (digits // 60) ** 2 // 2
        self.angle = MP.mpf(1)
        self.magnitude = self.peak = 0

    def value(self, node: Node) -> Any:
        """Return the value as an mpf or mpc."""
        self.budget.spend(self.cost)
        try:
            result = self._value(node)
        except (ZeroDivisionError, OverflowError, ValueError, TypeError) as error:
            raise OffDomain(str(error)) from None
        return self._checked(result)

    def _checked(self, result: Any) -> Any:
        if not MP.isfinite(result):
            raise OffDomain("not finite")
        if isinstance(result, MP.mpc):
            if self.real:
                if result.imag != 0:
                    raise OffDomain("not real")
                result = result.real
            elif result.imag == 0:
                result = result.real
        size = MP.mag(result)
        if size != -MP.inf and abs(size) > MAX_EXPONENT_BITS:
            raise TooLarge
        if size != -MP.inf:
            self.magnitude = max(self.magnitude, abs(int(size)))
            self.peak = max(self.peak, int(size))
        return result

    def _value(self, node: Node) -> Any:
        match node:
            case Num():
                return MP.mpf(node.value.numerator) / node.value.denominator
            case Sym():
                return self.point[node.name]
            case Const():
                return self._constant(node.name)
            case Add():
                return MP.fsum([self.value(t) for t in node.terms])
            case Mul():
                return self._product(node)
            case Pow():
                return self._power(node)
            case Call():
                return self._call(node)
            case Big():
                return self._big(node)
            case Based():
                return MP.mpf(int(node.digits, node.base))
            case _:
                raise Unsupported(type(node).__name__)

    def _constant(self, name: str) -> Any:
        if name == "pi":
            return +MP.pi
        if name == "e":
            return +MP.e
        if name == "i":
            if self.real:
                raise OffDomain("imaginary")
            return MP.mpc(0, 1)
        raise Unsupported("infinity is no number")

    def _product(self, node: Mul) -> Any:
        product = MP.mpf(1)
        for factor in node.factors:
            product = self._checked(product * self.value(factor))
        return product

    def _power(self, node: Pow) -> Any:
        base = self.value(node.base)
        exponent_node = node.exponent
        if isinstance(exponent_node, Num) and exponent_node.value.denominator == 2 and self.real and base < 0:
            raise OffDomain("even root of a negative number")
        exponent = self.value(exponent_node)
        if base == 0:
            if isinstance(exponent, MP.mpc) or exponent <= 0:
                raise OffDomain("zero to a power that is not positive")
            return MP.mpf(0)
        size = abs(MP.mag(base)) + 1
        if abs(exponent) * size > MAX_EXPONENT_BITS and base not in (1, -1):
            if base > 0 if isinstance(base, MP.mpf) else False:
                near_one = abs(MP.log(base) * exponent)
                if near_one < MAX_EXPONENT_BITS:
                    return MP.power(base, exponent)
            raise TooLarge
        if isinstance(exponent, MP.mpf) and MP.isint(exponent):
            if MP.mag(exponent) > 64:
                raise TooLarge
            return base ** int(exponent)
        if self.real and base < 0:
            return self._real_root_power(base, exponent_node)
        return MP.power(base, exponent)

    @staticmethod
    def _real_root_power(base: Any, exponent: Node) -> Any:
        """Return x^(p/q) of a negative x for odd q, over the reals."""
        if not isinstance(exponent, Num) or exponent.value.denominator % 2 == 0:
            raise OffDomain("a power of a negative number")
        root = MP.power(-base, MP.mpf(exponent.value.numerator) / exponent.value.denominator)
        return -root if exponent.value.numerator % 2 else root

    def _big(self, node: Big) -> Any:
        if node.kind not in ("sum", "prod") or node.low is None or node.high is None:
            raise Unsupported(node.kind)
        low, high = self.value(node.low), self.value(node.high)
        if not (MP.isint(low) and MP.isint(high)) or MP.mag(low) > 64:
            raise OffDomain("bounds that are not small whole numbers")
        if high - low >= MAX_SUM:
            raise Unsupported("a long sum")
        outer = self.point
        total = MP.mpf(0) if node.kind == "sum" else MP.mpf(1)
        try:
            for k in range(int(low), int(high) + 1):
                self.point = {**outer, node.variable: MP.mpf(k)}
                term = self.value(node.body)
                total = total + term if node.kind == "sum" else total * term
        finally:
            self.point = outer
        return total

    def _call(self, node: Call) -> Any:
        name = node.name
        if name in _TRIGONOMETRIC:
            outer, self.angle = self.angle, MP.pi / 180
            try:
                argument = self.value(node.args[0])
            finally:
                self.angle = outer
            if MP.mag(argument) > MAX_ANGLE_BITS:
                raise TooLarge("an angle too large to be reduced")
            return _TRIGONOMETRIC[name](argument)
        if name == "deg":
            return self.value(node.args[0]) * self.angle
        if name in ("degC", "degF"):
            return self.value(node.args[0])
        if name == "percent":
            return self.value(node.args[0]) / 100
        if name == "log" and len(node.args) == 1:
            return self._logarithm(self.value(node.args[0])) / (1 if self.natural else MP.log(10))
        if name == "log":
            return self._logarithm(self.value(node.args[0])) / self._logarithm(self.value(node.args[1]))
        if name == "ln" and len(node.args) == 1:
            return self._logarithm(self.value(node.args[0]))
        if name in ("pm", "mp", "ellipsis", "sup", "inf", "arg"):
            raise Unsupported(name)
        args = [self.value(a) for a in node.args]
        rule = _FUNCTIONS.get(name)
        if rule is None:
            return _unknown(name, args)
        arity, function = rule
        if arity and len(args) != arity:
            raise Unsupported(f"{name} of {len(args)} arguments")
        if name in _REAL_ONLY and any(isinstance(a, MP.mpc) for a in args):
            raise OffDomain(f"{name} of a complex number")
        if name in _COSTLY:
            self.budget.spend(5 * self.cost)
            if MP.dps > MAX_GAMMA_DIGITS:
                raise TooLarge("a factorial to too many digits")
        return function(*args)

    def _logarithm(self, argument: Any) -> Any:
        if argument == 0 or (self.real and argument < 0):
            raise OffDomain("logarithm of a number that is not positive")
        return MP.log(argument)


def _unknown(name: str, args: list[Any]) -> Any:
    """Return the value of an unknown function: a smooth function that no identity can be true of by accident."""
    seed = hashlib.blake2b(f"{name}/{len(args)}".encode(), digest_size=16).digest()
    constants = [MP.mpf(int.from_bytes(seed[i : i + 4], "big")) / 2**32 for i in range(0, 16, 4)]
    value = constants[0]
    for position, argument in enumerate(args):
        value += MP.sin((constants[1] + 1) * argument + constants[2] + position) + constants[3] * argument**2
        constants = constants[1:] + constants[:1]
    return value


def _whole(function: Callable[[int], int]) -> Callable[[Any], Any]:
    def wrapped(argument: Any) -> Any:
        if not MP.isint(argument) or abs(argument) > 3000:
            raise OffDomain("not a small whole number")
        return MP.mpf(function(int(argument)))

    return wrapped


def _factorial(argument: Any) -> Any:
    if isinstance(argument, MP.mpc) or argument < 0:
        raise OffDomain("factorial of a negative number")
    if argument > 10**9:
        raise TooLarge
    return MP.gamma(argument + 1)


def _double_factorial(argument: Any) -> Any:
    if not MP.isint(argument) or not 0 <= argument < 300:
        raise OffDomain("double factorial")
    product = MP.mpf(1)
    for k in range(int(argument), 1, -2):
        product *= k
    return product


def _binomial(n: Any, k: Any) -> Any:
    if abs(n) > 10**9 or abs(k) > 10**9:
        raise TooLarge
    if MP.isint(n) and n >= 0 and MP.isint(k) and (k < 0 or k > n):
        return MP.mpf(0)
    return MP.gamma(n + 1) / (MP.gamma(k + 1) * MP.gamma(n - k + 1))


def _root(n: Any, x: Any) -> Any:
    if not isinstance(n, MP.mpf) or n == 0 or abs(n) > 10**6:
        raise OffDomain("a root of no degree")
    if isinstance(x, MP.mpf) and x < 0 and MP.isint(n) and int(n) % 2:
        return -MP.power(-x, 1 / n)
    return MP.power(x, 1 / n) if x != 0 else MP.mpf(0)


def _gcd(*args: Any) -> Any:
    import math

    if any(not MP.isint(a) or abs(a) > 10**30 for a in args):
        raise OffDomain("gcd of numbers that are not whole")
    return MP.mpf(math.gcd(*(int(a) for a in args)))


def _lcm(*args: Any) -> Any:
    import math

    if len(args) > 16 or any(not MP.isint(a) or abs(a) > 10**15 for a in args):
        raise OffDomain("lcm of numbers that are not whole")
    return MP.mpf(math.lcm(*(int(a) for a in args)))


def _mod(a: Any, b: Any) -> Any:
    return a - b * MP.floor(a / b)


_TRIGONOMETRIC: dict[str, Callable[[Any], Any]] = {
    "sin": MP.sin, "cos": MP.cos, "tan": MP.tan, "cot": MP.cot, "sec": MP.sec, "csc": MP.csc,
}  # fmt: skip
_FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "arcsin": (1, MP.asin), "arccos": (1, MP.acos), "arctan": (1, MP.atan),
    "arccot": (1, lambda x: MP.pi / 2 - MP.atan(x)),
    "arcsec": (1, MP.asec), "arccsc": (1, MP.acsc), "sinh": (1, MP.sinh), "cosh": (1, MP.cosh), "tanh": (1, MP.tanh),
    "coth": (1, MP.coth), "sech": (1, MP.sech), "csch": (1, MP.csch), "arsinh": (1, MP.asinh), "arcosh": (1, MP.acosh),
    "artanh": (1, MP.atanh), "abs": (1, abs), "floor": (1, MP.floor), "ceil": (1, MP.ceil), "sgn": (1, MP.sign),
    "factorial": (1, _factorial), "factorial2": (1, _double_factorial), "binom": (2, _binomial), "root": (2, _root),
    "max": (0, max), "min": (0, min), "gcd": (0, _gcd), "lcm": (0, _lcm), "mod": (2, _mod), "Re": (1, MP.re),
    "Im": (1, MP.im),
}  # fmt: skip
_REAL_ONLY = frozenset(("floor", "ceil", "max", "min", "factorial", "factorial2", "sgn", "mod", "gcd", "lcm"))
_COSTLY = frozenset(("factorial", "binom", "root"))
KNOWN = (
    frozenset(_TRIGONOMETRIC)
    | frozenset(_FUNCTIONS)
    | {"deg", "degC", "degF", "percent", "log", "ln", "pm", "mp", "ellipsis"}
)
"""Names of functions with a meaning; others are unknown functions."""
