r"""Plus-minus: `1 \\pm x` is a list of two values, `(\\pm 1, \\pm 2)` one of four points."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from assay.verifiers.answers.nodes import (
    Add,
    Call,
    Expr,
    Group,
    Listing,
    Mul,
    Node,
    Pow,
    Quantity,
    Relation,
    SetOf,
    negative,
    walk,
)

MAX_VARIANTS = 64


def signed(node: Node) -> bool:
    """Whether a node holds a plus-minus sign."""
    return any(isinstance(n, Call) and n.name in ("pm", "mp") for n in walk(node))


def expand(node: Node) -> Node:
    """Return the node with plus-minus signs written out: the signs of one value go together, those of items do not."""
    if not signed(node):
        return node
    if isinstance(node, Relation):
        if node.ops == ("ne",) and not signed(node.operands[0]):
            right = expand(node.operands[1])
            if isinstance(right, Listing):
                return Listing(tuple(Relation((node.operands[0], item), ("ne",)) for item in right.items), "and")
        if node.ops == ("=",) and not signed(node.operands[0]):
            right = expand(node.operands[1])
            if isinstance(right, Listing):
                return Listing(tuple(Relation((node.operands[0], item), ("=",)) for item in right.items), "or")
        return node
    variants = list(itertools.islice(_variants(node), MAX_VARIANTS))
    if isinstance(node, SetOf):
        return SetOf(tuple(variants))
    return variants[0] if len(variants) == 1 else Listing(tuple(variants), "or")


def _variants(node: Node) -> Iterator[Node]:
    if not signed(node):
        yield node
    elif isinstance(node, Listing | SetOf):
        for item in node.items:
            yield from _variants(item)
    elif isinstance(node, Group):
        for items in itertools.product(*(list(_variants(item)) for item in node.items)):
            yield Group(tuple(items), node.left, node.right)
    elif isinstance(node, Quantity):
        for value in _variants(node.value):
            yield Quantity(value, node.unit)
    elif isinstance(node, Relation):
        expanded = expand(node)
        yield from expanded.items if isinstance(expanded, Listing) else (node,)
    elif isinstance(node, Expr):
        yield _choose(node, 1)
        yield _choose(node, -1)
    else:
        yield node


def _choose(node: Node, sign: int) -> Node:
    if isinstance(node, Call) and node.name in ("pm", "mp"):
        inner = _choose(node.args[0], sign)
        return inner if (sign > 0) == (node.name == "pm") else negative(inner)
    if isinstance(node, Add):
        return Add(tuple(_choose(t, sign) for t in node.terms))
    if isinstance(node, Mul):
        return Mul(tuple(_choose(f, sign) for f in node.factors))
    if isinstance(node, Pow):
        return Pow(_choose(node.base, sign), _choose(node.exponent, sign))
    if isinstance(node, Call):
        return Call(node.name, tuple(_choose(a, sign) for a in node.args))
    return node
