"""Vectors in terms of the unit vectors: `2i - 3j + k` as `(2, -3, 1)`."""

from __future__ import annotations

from assay.verifiers.answers.nodes import Add, Const, Expr, Group, Matrix, Mul, Node, Sym, number

_UNITS = (Const("i"), Sym("j"), Sym("k"))
_ZERO, _ONE = number(0), number(1)


def alike(gold: Node, answer: Node) -> tuple[Node, Node]:
    """Return both sides, a sum of unit vectors as a tuple where the other side is one."""
    return _as_tuple(gold, answer), _as_tuple(answer, gold)


def _as_tuple(node: Node, other: Node) -> Node:
    if not isinstance(node, Expr) or not isinstance(other, Group | Matrix):
        return node
    count = len(other.children())
    if not 2 <= count <= 3 or (isinstance(other, Matrix) and 1 not in (len(other.rows), len(other.rows[0]))):
        return node
    parts: list[list[Node]] = [[], [], []]
    for term in node.terms if isinstance(node, Add) else (node,):
        factors = term.factors if isinstance(term, Mul) else (term,)
        places = [place for place, unit in enumerate(_UNITS) if unit in factors]
        if len(places) != 1 or places[0] >= count:
            return node
        rest = list(factors)
        rest.remove(_UNITS[places[0]])
        parts[places[0]].append(Mul(tuple(rest)) if len(rest) > 1 else rest[0] if rest else _ONE)
    if not parts[1] and not parts[2]:  # an imaginary number
        return node
    sums = (Add(tuple(part)) if len(part) > 1 else part[0] if part else _ZERO for part in parts[:count])
    return Group(tuple(sums), "(", ")")
