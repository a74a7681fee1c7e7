"""Comparison of expressions with dots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.verifiers.answers.nodes import Add, Call, Mul, Node, Pow, Sym, plus, walk

if TYPE_CHECKING:
    from assay.verifiers.answers.compare import Comparison


def same(comparison: Comparison, gold: Node, answer: Node) -> bool:
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
