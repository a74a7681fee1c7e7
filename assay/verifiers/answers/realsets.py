"""Sets of real numbers: intervals, inequalities, set-builder notation and unions of them, in one normal form."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from assay.verifiers.answers import exactly
from assay.verifiers.answers.nodes import (
    Builder,
    Call,
    Const,
    Expr,
    Group,
    Listing,
    Node,
    NumberSet,
    Qualified,
    Relation,
    SetOf,
    SetOperation,
    Sym,
    negative,
    number,
    plus,
    substitute,
    symbols,
    times,
)

_FLIP = {"<": ">", ">": "<", "le": "ge", "ge": "le"}
_ORDER = frozenset(_FLIP)
_MAX_ALTERNATIVES = 8
_IDENTITY = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class Span:
    """An interval; an end that is None is infinite."""

    low: Node | None
    low_closed: bool
    high: Node | None
    high_closed: bool


Spans = tuple[Span, ...]
LINE: Spans = (Span(None, False, None, False),)
Approximate = Callable[[Node], float | None]
"""Gives a number for an endpoint, or None for a symbolic one."""


def is_set(node: Node) -> bool:
    """Whether a node can only be read as a set of reals (a pair in round or square brackets may be a point)."""
    if isinstance(node, SetOperation | Builder | NumberSet):
        return True
    if isinstance(node, Group) and len(node.items) == 2:
        return (node.left, node.right) in (("(", "]"), ("[", ")")) or any(_infinite(item) for item in node.items)
    return False


def is_inequality(node: Node) -> bool:
    """Whether a node is an inequality, a membership, or several of them."""
    if isinstance(node, Relation):
        return all(op in _ORDER for op in node.ops) or node.ops in (("ne",), ("in",), ("notin",))
    if isinstance(node, Listing):
        return bool(node.items) and all(is_inequality(item) or is_set(item) for item in node.items)
    return isinstance(node, Qualified) and is_inequality(node.value)


def variable(node: Node) -> Node | None:
    """Return the quantity that an inequality or set-builder bounds, if it names one."""
    if isinstance(node, Relation):
        if node.ops in (("in",), ("notin",), ("ne",)):
            return node.operands[0]
        if len(node.operands) == 3:
            return node.operands[1]
        names = [o for o in node.operands if symbols(o)]
        return names[0] if len(names) == 1 and isinstance(names[0], Sym | Call) else None
    if isinstance(node, Builder):
        return variable(node.element) if isinstance(node.element, Relation) else node.element
    if isinstance(node, Listing | SetOperation):
        found = {variable(child) for child in node.children()} - {None}
        return found.pop() if len(found) == 1 else None
    return None


def spans(node: Node, approximate: Approximate) -> Spans | None:
    """Return the set as a union of intervals, or None when it is no set of reals that can be read."""
    match node:
        case Group(items=(low, high)) if isinstance(low, Expr) and isinstance(high, Expr):
            return (_span(low, node.left == "[", high, node.right == "]"),)
        case SetOf():
            if all(isinstance(item, Expr) for item in node.items):
                return tuple(Span(item, True, item, True) for item in node.items)
            return None
        case NumberSet(name="R"):
            return LINE
        case NumberSet(name="R+"):
            return (Span(number(0), False, None, False),)
        case NumberSet(name="R-"):
            return (Span(None, False, number(0), False),)
        case Qualified():
            return spans(node.value, approximate)
        case Builder():
            return _builder(node, approximate)
        case Relation():
            return _relation(node, approximate)
        case SetOperation() | Listing():
            return _combined(node, approximate)
        case _:
            return None


def normal(parts: Spans, approximate: Approximate) -> Spans:
    """Sort numeric spans, drop empty ones, and join those that touch; symbolic ones stay as they are."""
    keyed: list[tuple[float, float, Span]] = []
    for part in parts:
        low, high = _ends(part, approximate)
        if low is None or high is None:
            return parts
        if low < high or (low == high and part.low_closed and part.high_closed):
            keyed.append((low, high, part))
    keyed.sort(key=lambda item: (item[0], not item[2].low_closed, item[1]))
    out: list[tuple[float, float, Span]] = []
    for low, high, part in keyed:
        if out:
            _, end, last = out[-1]
            if low < end or (low == end and (part.low_closed or last.high_closed)):
                if high > end or (high == end and part.high_closed):
                    out[-1] = (out[-1][0], high, Span(last.low, last.low_closed, part.high, part.high_closed))
                continue
        out.append((low, high, part))
    return tuple(item[2] for item in out)


def intersect(left: Spans, right: Spans, approximate: Approximate) -> Spans | None:
    """Return the intersection, or None when an endpoint is symbolic."""
    out: list[Span] = []
    if len(left) * len(right) > 256:
        return None
    for one in left:
        for two in right:
            low1, high1 = _ends(one, approximate)
            low2, high2 = _ends(two, approximate)
            if low1 is None or high1 is None or low2 is None or high2 is None:
                return None
            low, low_closed = (one.low, one.low_closed) if low1 > low2 else (two.low, two.low_closed)
            if low1 == low2:
                low_closed = one.low_closed and two.low_closed
            high, high_closed = (one.high, one.high_closed) if high1 < high2 else (two.high, two.high_closed)
            if high1 == high2:
                high_closed = one.high_closed and two.high_closed
            out.append(Span(low, low_closed, high, high_closed))
    return normal(tuple(out), approximate)


def complement(parts: Spans, approximate: Approximate) -> Spans | None:
    """Return the complement in the reals, or None when an endpoint is symbolic."""
    out: Spans | None = LINE
    for part in parts:
        rest: list[Span] = []
        if part.low is not None:
            rest.append(Span(None, False, part.low, not part.low_closed))
        if part.high is not None:
            rest.append(Span(part.high, not part.high_closed, None, False))
        if len(parts) == 1:
            return tuple(rest)
        out = None if out is None else intersect(out, tuple(rest), approximate)
    return out


def _infinite(node: Node) -> int:
    """Return 1 or -1 for an infinite endpoint, 0 for a finite one."""
    if node == Const("inf"):
        return 1
    return -1 if node == negative(Const("inf")) else 0


def _span(low: Node, low_closed: bool, high: Node, high_closed: bool) -> Span:
    return Span(
        None if _infinite(low) else low,
        low_closed and not _infinite(low),
        None if _infinite(high) else high,
        high_closed and not _infinite(high),
    )


def _ends(span: Span, approximate: Approximate) -> tuple[float | None, float | None]:
    return (
        float("-inf") if span.low is None else approximate(span.low),
        float("inf") if span.high is None else approximate(span.high),
    )


def _builder(node: Builder, approximate: Approximate) -> Spans | None:
    element, condition = node.element, node.condition
    base: Spans | None = LINE
    if isinstance(element, Relation) and element.ops == ("in",):
        base = spans(element.operands[1], approximate)
        element = element.operands[0]
    if isinstance(condition, Listing) and condition.joint != "or":
        kept = [
            c
            for c in condition.items
            if not (isinstance(c, Relation) and c.ops == ("in",) and c.operands[1] == NumberSet("R"))
        ]
        condition = kept[0] if len(kept) == 1 else Listing(tuple(kept), "and")
    bounded = variable(condition)
    if bounded is not None and bounded != element and not (isinstance(bounded, Call) and bounded.name == "abs"):
        return None
    inside = spans(condition, approximate)
    if inside is None or base is None or base == LINE:
        return inside if base is not None else None
    return intersect(base, inside, approximate)


def _combined(node: SetOperation | Listing, approximate: Approximate) -> Spans | None:
    parts = [spans(child, approximate) for child in node.children()]
    read = [part for part in parts if part is not None]
    if len(read) != len(parts) or not read:
        return None
    if isinstance(node, SetOperation) and node.kind == "setminus":
        rest: Spans | None = read[0]
        for part in read[1:]:
            outside = complement(part, approximate)
            rest = None if rest is None or outside is None else intersect(rest, outside, approximate)
        return rest
    if isinstance(node, Listing) and node.joint == "or" and _nested(read, approximate):
        return None  # "x < 2 or x <= 2" leaves open which is meant
    if (isinstance(node, SetOperation) and node.kind == "cup") or (
        isinstance(node, Listing) and (node.joint == "or" or not any(isinstance(c, Relation) for c in node.items))
    ):
        return tuple(span for part in read for span in part)
    if isinstance(node, Listing) and node.joint == "," and _meet(read, approximate) == ():
        return tuple(span for part in read for span in part)
    return _meet(read, approximate)


def _nested(read: list[Spans], approximate: Approximate) -> bool:
    """Whether one of several alternatives contains another."""
    if len(read) > _MAX_ALTERNATIVES:
        return False
    for one, two in itertools.combinations(read, 2):
        both = intersect(one, two, approximate)
        if both and both in (normal(one, approximate), normal(two, approximate)):
            return True
    return False


def _meet(read: list[Spans], approximate: Approximate) -> Spans | None:
    both: Spans | None = read[0]
    for part in read[1:]:
        both = None if both is None else intersect(both, part, approximate)
    return both


def _relation(node: Relation, approximate: Approximate) -> Spans | None:
    if node.ops == ("in",):
        return spans(node.operands[1], approximate)
    if node.ops == ("=",) and isinstance(node.operands[0], Sym):
        return (Span(node.operands[1], True, node.operands[1], True),)
    if node.ops == ("ne",):
        point = node.operands[1]
        return (Span(None, False, point, False), Span(point, False, None, False))
    if not all(op in _ORDER for op in node.ops) or not 1 <= len(node.ops) <= 2:
        return None
    if len(node.ops) == 2:
        low, middle, high = node.operands
        ops = node.ops
        if ops[0] in (">", "ge"):
            low, high, ops = high, low, (_FLIP[ops[1]], _FLIP[ops[0]])
        if ops[0] not in ("<", "le") or ops[1] not in ("<", "le"):
            return None
        return _unfold(middle, _span(low, ops[0] == "le", high, ops[1] == "le"), approximate)
    return _single(node.operands[0], node.ops[0], node.operands[1], approximate)


def _single(left: Node, op: str, right: Node, approximate: Approximate) -> Spans | None:
    if not _is_name(left) and _is_name(right):
        left, op, right = right, _FLIP[op], left
    if not _is_name(left) or symbols(left) & symbols(right):
        solved = _solve_linear(left, op, right)
        if solved is None:
            return None
        op, right = solved
        left = Sym("x")
    closed = op in ("le", "ge")
    span = (
        _span(right, closed, Const("inf"), False)
        if op in (">", "ge")
        else _span(negative(Const("inf")), False, right, closed)
    )
    return _unfold(left, span, approximate)


def _is_name(node: Node) -> bool:
    return isinstance(node, Sym) or (
        isinstance(node, Call) and bool(symbols(node)) and node.name not in ("deg", "ellipsis")
    )


def _unfold(middle: Node, span: Span, approximate: Approximate) -> Spans | None:
    """Return the set of x for which |x| lies in the span, or the span itself for any other quantity."""
    if not (isinstance(middle, Call) and middle.name == "abs"):
        return (span,)
    line = _line(middle.args[0])
    if line is None:
        return (span,)
    low = float("-inf") if span.low is None else approximate(span.low)
    if low is None:
        return None
    if low < 0 or (low == 0 and span.low_closed):
        return LINE if span.high is None else _at(line, negative(span.high), span.high, span.high_closed)
    assert span.low is not None
    inner = complement(_at(line, negative(span.low), span.low, not span.low_closed), approximate)
    if span.high is None or inner is None:
        return inner
    return intersect(inner, _at(line, negative(span.high), span.high, span.high_closed), approximate)


def _line(node: Node) -> tuple[Fraction, Fraction] | None:
    """Return slope and intercept of a linear expression in one symbol with rational coefficients, or None."""
    if isinstance(node, Sym):
        return Fraction(1), Fraction(0)
    names = symbols(node)
    if len(names) != 1:
        return None
    (name,) = names
    try:
        values = [exactly.rational(substitute(node, {name: number(x)})) for x in (0, 1, 2, 5)]
    except (exactly.NotRational, exactly.Pole):
        return None
    slope = values[1] - values[0]
    if slope == 0 or values[2] - values[1] != slope or values[3] - values[0] != 5 * slope:
        return None
    return slope, values[0]


def _at(line: tuple[Fraction, Fraction], low: Node, high: Node, closed: bool) -> Spans:
    """Return where a line lies between two values."""
    slope, intercept = line
    ends = [
        times(number(1 / slope), plus(end, number(-intercept))) if line != _IDENTITY else end for end in (low, high)
    ]
    return (Span(ends[0], closed, ends[1], closed) if slope > 0 else Span(ends[1], closed, ends[0], closed),)


def _solve_linear(left: Node, op: str, right: Node) -> tuple[str, Node] | None:
    """Solve a linear inequality in one symbol with rational coefficients: `(op, bound)`."""
    line = _line(plus(left, negative(right)))
    if line is None:
        return None
    slope, intercept = line
    bound = -intercept / slope
    return (op if slope > 0 else _FLIP[op]), number(bound)
