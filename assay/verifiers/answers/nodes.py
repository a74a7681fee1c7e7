"""The closed abstract syntax of answers. Parsing makes these nodes, comparison reads them, nothing executes them.

Every node is frozen, hashable and comparable by structure. Expressions (`Expr`) denote one number or function value;
the other nodes are the types that answers come in: collections, sets of reals, matrices, relations, text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal


@dataclass(frozen=True, slots=True)
class Node:
    """Base of all nodes."""

    def children(self) -> tuple[Node, ...]:
        """Return the direct sub-nodes."""
        return ()


class Expr(Node):
    """A node that denotes a number, or a function of its symbols."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Num(Expr):
    """An exact rational; `decimals` counts the digits after a decimal point, if one was written."""

    value: Fraction
    decimals: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Sym(Expr):
    """A variable or label, with its subscript and primes: `x`, `a_37`, `f'`."""

    name: str


@dataclass(frozen=True, slots=True)
class Const(Expr):
    """`pi`, `e`, `i` or `inf`."""

    name: Literal["pi", "e", "i", "inf"]


@dataclass(frozen=True, slots=True)
class Add(Expr):
    """A sum."""

    terms: tuple[Node, ...]

    def children(self) -> tuple[Node, ...]:
        """Return the terms."""
        return self.terms


@dataclass(frozen=True, slots=True)
class Mul(Expr):
    """A product."""

    factors: tuple[Node, ...]

    def children(self) -> tuple[Node, ...]:
        """Return the factors."""
        return self.factors


@dataclass(frozen=True, slots=True)
class Pow(Expr):
    """A power; division is a power of -1, the square root a power of 1/2."""

    base: Node
    exponent: Node

    def children(self) -> tuple[Node, ...]:
        """Return base and exponent."""
        return (self.base, self.exponent)


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """A function value. Known names are those of `evaluate`; any other name is an unknown function.

    Special names: `deg` (degree sign), `percent`, `pm` and `mp` (signed alternatives), `ellipsis`.
    """

    name: str
    args: tuple[Node, ...]

    def children(self) -> tuple[Node, ...]:
        """Return the arguments."""
        return self.args


@dataclass(frozen=True, slots=True)
class Big(Expr):
    """A sum, product, integral or limit over `variable` from `low` to `high` (a limit has only `low`)."""

    kind: Literal["sum", "prod", "int", "lim"]
    variable: str
    low: Node | None
    high: Node | None
    body: Node

    def children(self) -> tuple[Node, ...]:
        """Return the bounds and the body."""
        return tuple(part for part in (self.low, self.high, self.body) if part is not None)


@dataclass(frozen=True, slots=True)
class Group(Node):
    """Items in brackets: a point, tuple, vector or interval; `left` and `right` are the brackets."""

    items: tuple[Node, ...]
    left: str
    right: str

    def children(self) -> tuple[Node, ...]:
        """Return the items."""
        return self.items


@dataclass(frozen=True, slots=True)
class SetOf(Node):
    """A finite set in braces."""

    items: tuple[Node, ...]

    def children(self) -> tuple[Node, ...]:
        """Return the items."""
        return self.items


@dataclass(frozen=True, slots=True)
class Listing(Node):
    """Items separated by commas, "and" or "or", without brackets."""

    items: tuple[Node, ...]
    joint: Literal["and", "or", ","] = "and"

    def children(self) -> tuple[Node, ...]:
        """Return the items."""
        return self.items


@dataclass(frozen=True, slots=True)
class NumberSet(Node):
    """One of the standard sets: N, Z, Q, R, C, with its decoration (such as `+` or `0`)."""

    name: str


@dataclass(frozen=True, slots=True)
class SetOperation(Node):
    """A union, intersection or difference of sets."""

    kind: Literal["cup", "cap", "setminus"]
    parts: tuple[Node, ...]

    def children(self) -> tuple[Node, ...]:
        """Return the parts."""
        return self.parts


@dataclass(frozen=True, slots=True)
class Builder(Node):
    """`{element | condition}`."""

    element: Node
    condition: Node

    def children(self) -> tuple[Node, ...]:
        """Return element and condition."""
        return (self.element, self.condition)


@dataclass(frozen=True, slots=True)
class Matrix(Node):
    """A matrix or column vector; rows of equal length. `determinant` marks vertical bars."""

    rows: tuple[tuple[Node, ...], ...]
    determinant: bool = False

    def children(self) -> tuple[Node, ...]:
        """Return the entries, row by row."""
        return tuple(entry for row in self.rows for entry in row)


@dataclass(frozen=True, slots=True)
class Cases(Node):
    """A definition by cases: `(value, condition)` rows."""

    rows: tuple[tuple[Node, ...], ...]

    def children(self) -> tuple[Node, ...]:
        """Return the cells, row by row."""
        return tuple(entry for row in self.rows for entry in row)


@dataclass(frozen=True, slots=True)
class Relation(Node):
    """A chain such as `a < b <= c`, with `len(ops) == len(operands) - 1`."""

    operands: tuple[Node, ...]
    ops: tuple[str, ...]

    def children(self) -> tuple[Node, ...]:
        """Return the operands."""
        return self.operands


@dataclass(frozen=True, slots=True)
class Ratio(Node):
    """`a : b : c`. `spelling` keeps what was written, since 12:00 may be a time."""

    parts: tuple[Node, ...]
    spelling: str = ""

    def children(self) -> tuple[Node, ...]:
        """Return the parts."""
        return self.parts


@dataclass(frozen=True, slots=True)
class Quantity(Node):
    """A value with a unit, or with words that follow it."""

    value: Node
    unit: str

    def children(self) -> tuple[Node, ...]:
        """Return the value."""
        return (self.value,)


@dataclass(frozen=True, slots=True)
class Based(Node):
    """A numeral in a base: `101_2`."""

    digits: str
    base: int


@dataclass(frozen=True, slots=True)
class Text(Node):
    """Words."""

    words: str


@dataclass(frozen=True, slots=True)
class Qualified(Node):
    """A value with a condition: "for all x in Z", "where k is an integer"."""

    value: Node
    condition: Node

    def children(self) -> tuple[Node, ...]:
        """Return value and condition."""
        return (self.value, self.condition)


ONE = Num(Fraction(1))
MINUS_ONE = Num(Fraction(-1))
HALF = Num(Fraction(1, 2))


def number(value: int | Fraction) -> Num:
    """Return the node of a rational."""
    return Num(Fraction(value))


def negative(node: Node) -> Node:
    """Return minus a node."""
    if isinstance(node, Num):
        return Num(-node.value, node.decimals)
    return times(MINUS_ONE, node)


def times(*factors: Node) -> Node:
    """Return a flat product."""
    flat: list[Node] = []
    for factor in factors:
        flat.extend(factor.factors if isinstance(factor, Mul) else (factor,))
    return flat[0] if len(flat) == 1 else Mul(tuple(flat))


def plus(*terms: Node) -> Node:
    """Return a flat sum."""
    flat: list[Node] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, Add) else (term,))
    return flat[0] if len(flat) == 1 else Add(tuple(flat))


def over(above: Node, below: Node) -> Node:
    """Return a quotient; of two literals an exact number."""
    if isinstance(above, Num) and isinstance(below, Num) and below.value:
        return Num(above.value / below.value)
    return times(above, Pow(below, MINUS_ONE))


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all nodes below it, iteratively."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        stack.extend(top.children())


def symbols(node: Node) -> frozenset[str]:
    """Return the names of the free symbols; the variable of a sum, product or integral is bound in its body."""
    if isinstance(node, Sym):
        return frozenset((node.name,))
    if isinstance(node, Big):
        free = symbols(node.body) - {node.variable}
        for bound in (node.low, node.high):
            if bound is not None:
                free |= symbols(bound)
        return free
    out: frozenset[str] = frozenset()
    for child in node.children():
        out |= symbols(child)
    return out


def substitute(node: Node, names: dict[str, Node]) -> Node:
    """Return the node with symbols replaced. Only for expressions and relations."""
    if isinstance(node, Sym):
        return names.get(node.name, node)
    if isinstance(node, Add):
        return Add(tuple(substitute(t, names) for t in node.terms))
    if isinstance(node, Mul):
        return Mul(tuple(substitute(f, names) for f in node.factors))
    if isinstance(node, Pow):
        return Pow(substitute(node.base, names), substitute(node.exponent, names))
    if isinstance(node, Call):
        return Call(node.name, tuple(substitute(a, names) for a in node.args))
    if isinstance(node, Relation):
        return Relation(tuple(substitute(o, names) for o in node.operands), node.ops)
    if isinstance(node, Big):
        inner = {k: v for k, v in names.items() if k != node.variable}
        return Big(
            node.kind,
            node.variable,
            None if node.low is None else substitute(node.low, names),
            None if node.high is None else substitute(node.high, names),
            substitute(node.body, inner),
        )
    if isinstance(node, Group):
        return Group(tuple(substitute(i, names) for i in node.items), node.left, node.right)
    if isinstance(node, Listing):
        return Listing(tuple(substitute(i, names) for i in node.items), node.joint)
    if isinstance(node, Builder):
        return Builder(substitute(node.element, names), substitute(node.condition, names))
    return node
