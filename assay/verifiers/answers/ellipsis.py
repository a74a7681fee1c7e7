"""Comparison of expressions with dots."""

from __future__ import annotations

import itertools
from fractions import Fraction

from assay.verifiers.answers.comparing import Compares
from assay.verifiers.answers.nodes import Add, Call, Mul, Node, Num, Pow, Sym, number, plus, walk

MAX_RUN = 64
"""Items that dots may stand for."""


def written_out(items: tuple[Node, ...]) -> tuple[Node, ...]:
    """Return `1, 3, ..., 9` as the whole numbers that it stands for; anything else as it is."""
    dots = [position for position, item in enumerate(items) if item == Call("ellipsis", ())]
    if len(dots) != 1 or dots[0] + 2 != len(items) or dots[0] < 1:
        return items
    known = [item.value for item in items if isinstance(item, Num) and item.value.denominator == 1]
    if len(known) != len(items) - 1:
        return items
    first, last = known[0], known[-1]
    step = known[1] - first if len(known) > 2 else Fraction(1)
    steps = {after - before for before, after in itertools.pairwise(known[:-1])}
    if step == 0 or len(steps) > 1 or (last - first) % step or not 0 < (last - first) / step < MAX_RUN:
        return items
    return tuple(number(first + k * step) for k in range(int((last - first) / step) + 1))


def same(comparison: Compares, gold: Node, answer: Node) -> bool:
    """Compare expressions with dots: a run such as `a_0 + a_1 + ... + a_k` is known by its ends."""
    one, two = _folded(gold), _folded(answer)
    if any(isinstance(n, Call) and n.name == "ellipsis" for side in (one, two) for n in walk(side)):
        return one == two
    return comparison.same_value(one, two)


def _folded(node: Node) -> Node:
    if isinstance(node, Add):
        run = [t for t in node.terms if _stem_of_run(t) is not None]
        dots = [t for t in node.terms if t == Call("ellipsis", ())]
        stems = {_stem_of_run(t) for t in run}
        if len(dots) == 1 and len(stems) == 1 and len(run) >= 2:
            place = [position for position, t in enumerate(node.terms) if t in run or t in dots]
            if node.terms[place[-1]] not in dots and node.terms[place[0]] not in dots:
                ends = tuple(sorted((node.terms[place[0]], node.terms[place[-1]]), key=repr))
                rest = [t for t in node.terms if t not in run and t not in dots]
                return plus(*rest, Call(f"run_{stems.pop()}", ends))
        return Add(tuple(_folded(t) for t in node.terms))
    if isinstance(node, Mul):
        return Mul(tuple(_folded(f) for f in node.factors))
    if isinstance(node, Pow):
        return Pow(_folded(node.base), _folded(node.exponent))
    return node


def _stem_of_run(term: Node) -> str | None:
    if isinstance(term, Sym) and "_" in term.name:
        return term.name.partition("_")[0]
    if isinstance(term, Call) and term.name.startswith("_"):
        return term.name[1:]
    return None
