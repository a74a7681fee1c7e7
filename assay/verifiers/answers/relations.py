"""Comparison of equations, inequalities and named values."""

from __future__ import annotations

from collections.abc import Sequence

from assay.verifiers.answers import realsets, words
from assay.verifiers.answers.choices import LETTERS
from assay.verifiers.answers.comparing import Compares
from assay.verifiers.answers.equality import Undecided, equal
from assay.verifiers.answers.evaluate import KNOWN
from assay.verifiers.answers.nodes import (
    Call,
    Const,
    Expr,
    Group,
    Listing,
    Mul,
    Node,
    Num,
    Pow,
    Quantity,
    Ratio,
    Relation,
    SetOf,
    SetOperation,
    Sym,
    Text,
    negative,
    number,
    plus,
    substitute,
    symbols,
    times,
    walk,
)

_FLIP = {"<": ">", ">": "<", "le": "ge", "ge": "le"}


def same(comparison: Compares, gold: Node, answer: Node) -> bool:
    """Compare two answers of which at least one is a relation."""
    gold, answer = _oriented(gold), _oriented(answer)
    if isinstance(gold, Relation) and isinstance(answer, Relation):
        return _same_relations(comparison, gold, answer)
    if isinstance(gold, Relation):
        if gold.ops == ("in",) or realsets.is_inequality(gold):
            return comparison.policy.relation_as_set and _as_sets(comparison, gold, answer)
        assigned = assignment(comparison, gold) or _measured(gold)
        if assigned is None:
            return _solved(comparison, gold, answer)
        if isinstance(assigned[0], Text) and assigned[0].words in LETTERS and comparison.same(assigned[0], answer):
            return True
        return _same_assigned(comparison, assigned[0], assigned[1], answer)
    assert isinstance(answer, Relation)
    if realsets.is_inequality(answer):
        return comparison.policy.relation_as_set and _as_sets(comparison, gold, answer)
    assigned = assignment(comparison, answer)
    if assigned is None:
        return False
    if isinstance(assigned[0], Text) and assigned[0].words in LETTERS:
        if comparison.same(gold, assigned[0]):
            return True
        if words.spoken(gold) in LETTERS:  # the gold is a choice, and another one is chosen
            return False
    return _same_assigned(comparison, assigned[0], gold, assigned[1])


def _measured(gold: Relation) -> tuple[Node, Node] | None:
    """Split a gold such as `sin A = 1/2` or `|z| = 2`, which asks for the value of a function."""
    if gold.ops != ("=",) or symbols(gold.operands[1]):
        return None
    name = gold.operands[0]
    asked = isinstance(name, Call) and len(name.args) == 1 and isinstance(name.args[0], Sym)
    return (name, gold.operands[1]) if asked else None


def _same_assigned(comparison: Compares, name: Node | None, gold: Node, answer: Node) -> bool:
    """Compare the value of `name = ...` with a bare value; a tuple of names makes a tuple of a bare list."""
    if isinstance(name, Group):
        for group, other in ((gold, answer), (answer, gold)):
            if isinstance(group, Group) and isinstance(other, Listing) and len(group.items) == len(other.items):
                pairs = zip(gold.children(), answer.children(), strict=True)
                return all(comparison.same(a, b) for a, b in pairs)
    return comparison.same(gold, answer)


def _as_sets(comparison: Compares, gold: Node, answer: Node) -> bool:
    for node in (gold, answer):
        if not isinstance(node, Relation | SetOf | Group | Listing) and not realsets.is_set(node):
            return False
        if isinstance(node, SetOf | Listing) and not realsets.is_inequality(node) and isinstance(node, Listing):
            return False
    return comparison.same_set(gold, answer)


# -- named values --------------------------------------------------------------------------------------------------


def is_name(node: Node) -> bool:
    """Whether a node can stand for the thing asked for: `x`, `f(x)`, `|AB|`, `S_1 : S_2`, words."""
    if isinstance(node, Sym | Text):
        return True
    if isinstance(node, Call):
        return node.name not in KNOWN or (node.name in ("abs", "log", "ln") and _is_figure(node.args[0]))
    if isinstance(node, Group):
        return all(is_name(item) for item in node.items)
    if isinstance(node, SetOperation):
        return all(isinstance(part, Sym) for part in node.parts)
    if _is_quotient_of_differentials(node):
        return True
    return isinstance(node, Ratio | Mul | Pow) and _is_figure(node)


def _is_quotient_of_differentials(node: Node) -> bool:
    if not isinstance(node, Mul) or node.factors[0] != Sym("d"):
        return False
    last = node.factors[-1]
    return isinstance(last, Pow) and isinstance(last.base, Mul) and last.base.factors[0] == Sym("d")


def _is_derivative(node: Node) -> bool:
    """Whether a name is a first derivative: `y'`, `f'(x)` or `dy/dx`."""
    return _is_quotient_of_differentials(node) or (
        isinstance(node, Sym | Call) and node.name.endswith("'") and not node.name.endswith("''")
    )


def _is_figure(node: Node) -> bool:
    """Whether a node is built from geometric labels only: capital letters, ratios and products of them."""
    for part in walk(node):
        if isinstance(part, Sym):
            if not part.name[:1].isupper() and not part.name.startswith(("angle", "triangle")):
                return False
        elif isinstance(part, Num):
            if part.value != -1:
                return False
        elif not isinstance(part, Mul | Pow | Ratio) and not (isinstance(part, Call) and part.name.startswith("_")):
            return False
    return True


def assignment(comparison: Compares, node: Relation) -> tuple[Node | None, Node] | None:
    """Split `name = ... = value`: the name (None when there is none) and the value; None when it is an equation.

    A chain is believed only if every link holds: `2 + 2 = 5` is no way to say 5.
    """
    if not all(op in ("=", "approx") for op in node.ops):
        return None
    count = 0
    while count < len(node.operands) - 1 and is_name(node.operands[count]):
        count += 1
    name = node.operands[0] if count else None
    rest, ops = node.operands[count:], node.ops[count:]
    if not rest:
        return None
    value = rest[0]
    for before, op, after in zip(rest, ops, rest[1:], strict=False):
        if op == "approx":  # what follows is a rounded value of an answer that is already given
            break
        if not comparison.same(before, after):
            return None
        value = after
    if count == 0 and len(rest) < 2:
        return None
    return name, value


def names(items: Sequence[Node]) -> list[Node] | None:
    """Return the names when every item is `name = value`, else None."""
    found = [_name(item) for item in items]
    return None if None in found else [n for n in found if n is not None]


def _name(item: Node) -> Node | None:
    if isinstance(item, Quantity):
        item = item.value
    if isinstance(item, Relation) and item.ops == ("=",) and is_name(item.operands[0]):
        return item.operands[0]
    return None


def all_named(items: Sequence[Node]) -> bool:
    """Whether every item is `name = value`."""
    return names(items) is not None


def distinct_names(found: Sequence[Node]) -> bool:
    """Whether the names differ by more than a subscript, so that their order carries meaning."""
    return len({_stem(n) for n in found}) > 1


def _stem(node: Node) -> str:
    if isinstance(node, Sym):
        return node.name.partition("_")[0]
    if isinstance(node, Call) and node.name.startswith("_"):
        return node.name[1:]
    return repr(node)


def values(items: Sequence[Node]) -> list[Node]:
    """Return the items without their names."""
    return [_value(item) for item in items]


def _value(item: Node) -> Node:
    if isinstance(item, Quantity) and isinstance(item.value, Relation):
        return Quantity(item.value.operands[-1], item.unit)
    return item.operands[-1] if isinstance(item, Relation) and _name(item) is not None else item


def without_first_name(items: Sequence[Node]) -> Sequence[Node]:
    """Return `x = 1, 2, 3` as the list of its values: the name stands before the first only."""
    if len(items) > 1 and _name(items[0]) is not None and all(not isinstance(i, Relation) for i in items[1:]):
        return [_value(items[0]), *items[1:]]
    return items


# -- two relations -------------------------------------------------------------------------------------------------


def _oriented(node: Node) -> Node:
    """Return `5 = x` as `x = 5`, and `(x, y) = (1, 2)` as it is."""
    if isinstance(node, Relation) and node.ops == ("=",):
        left, right = node.operands
        if not is_name(left) and is_name(right) and not symbols(left):
            return Relation((right, left), ("=",))
    return node


def _same_relations(comparison: Compares, gold: Relation, answer: Relation) -> bool:
    if realsets.is_inequality(gold) and realsets.is_inequality(answer):
        return _same_inequalities(comparison, gold, answer)
    if set(gold.ops) & set(_FLIP) or set(answer.ops) & set(_FLIP):
        return False
    one, two = assignment(comparison, gold), assignment(comparison, answer)
    if one is not None and two is not None:
        matched = _same_names(comparison, one, two)
        if matched is not None:
            return matched
    if gold.ops == ("=",) and answer.ops == ("=",):
        return _same_equation(comparison, gold, answer)
    if gold.ops == answer.ops and len(gold.operands) == len(answer.operands):
        return all(comparison.same(a, b) for a, b in zip(gold.operands, answer.operands, strict=True))
    return False


def _same_names(comparison: Compares, one: tuple[Node | None, Node], two: tuple[Node | None, Node]) -> bool | None:
    """Compare two named values; None when the names differ, so that the relations must be compared as equations."""
    (name1, value1), (name2, value2) = one, two
    if name1 == name2 or name1 is None or name2 is None:
        return comparison.same(value1, value2)
    if isinstance(name1, Text) and isinstance(name2, Text):
        return comparison.same(name1, name2) and comparison.same(value1, value2)
    if _is_derivative(name1) and _is_derivative(name2):
        return comparison.same(value1, value2)
    if not comparison.policy.renaming:
        return None
    if isinstance(name1, Call) and isinstance(name2, Call) and name1.name == name2.name:
        if len(name1.args) == len(name2.args) and all(isinstance(a, Sym) for a in (*name1.args, *name2.args)):
            renamed = {b.name: a for a, b in zip(name1.args, name2.args, strict=True) if isinstance(b, Sym)}
            return comparison.same(value1, substitute(value2, renamed))
        return False
    for function, plain in ((name1, name2), (name2, name1)):
        if isinstance(function, Call) and plain == Sym("y"):
            return comparison.same(value1, value2)
    return None


def _same_inequalities(comparison: Compares, gold: Relation, answer: Relation) -> bool:
    known1, known2 = realsets.variable(gold), realsets.variable(answer)
    if known1 is not None and known2 is not None:
        if known1 != known2:
            flipped = _operandwise(comparison, gold, answer)
            absolute = {type(known1), type(known2)} == {Sym, Call} and symbols(known1) == symbols(known2)
            return flipped or (absolute and comparison.same_set(gold, answer))
        return comparison.same_set(gold, answer)
    if _operandwise(comparison, gold, answer):
        return True
    if symbols(gold) == symbols(answer) and len(symbols(gold)) == 1 and comparison.same_set(gold, answer):
        return realsets.spans(gold, comparison.approximate) is not None
    return _proportional(comparison, gold, answer)


def _operandwise(comparison: Compares, gold: Relation, answer: Relation) -> bool:
    if len(gold.operands) != len(answer.operands):
        return False
    mirrored = tuple(_FLIP.get(op, op) for op in reversed(answer.ops))
    for operands, ops in ((answer.operands, answer.ops), (tuple(reversed(answer.operands)), mirrored)):
        if ops == gold.ops and all(comparison.same(a, b) for a, b in zip(gold.operands, operands, strict=True)):
            return True
    return False


def _proportional(comparison: Compares, gold: Relation, answer: Relation) -> bool:
    """Whether two inequalities are one multiplied by a constant, whose sign may turn it around."""
    if len(gold.ops) != 1 or len(answer.ops) != 1 or symbols(gold) != symbols(answer):
        return False
    factor = _factor(comparison, _residual(gold), _residual(answer))
    if factor is None:
        return False
    size = comparison.approximate(factor)
    if size is None or size == 0:
        return False
    return (answer.ops[0] if size > 0 else _FLIP.get(answer.ops[0], answer.ops[0])) == gold.ops[0]


def _residual(relation: Relation) -> Node:
    return plus(relation.operands[0], negative(relation.operands[1]))


def _same_equation(comparison: Compares, gold: Relation, answer: Relation) -> bool:
    """Whether two equations have the same solutions: proportional, or solved for one symbol alike."""
    if not all(isinstance(o, Expr) for o in (*gold.operands, *answer.operands)):
        return len(gold.operands) == len(answer.operands) and all(
            comparison.same(a, b) for a, b in zip(gold.operands, answer.operands, strict=True)
        )
    if symbols(gold) != symbols(answer) or not symbols(gold):
        return False
    one, two = _residual(gold), _residual(answer)
    if _factor(comparison, one, two) is not None:
        return True
    for name in sorted(symbols(gold)):
        solved1, solved2 = _solve(comparison, one, name), _solve(comparison, two, name)
        if solved1 is not None and solved2 is not None:
            return equal(solved1, solved2, comparison.budget)
    return False


def _factor(comparison: Compares, one: Node, two: Node) -> Node | None:
    """Return the constant by which `two` must be multiplied to give `one`, or None when there is none."""
    chosen: dict[str, Node] = {name: number(3 + 2 * k) for k, name in enumerate(sorted(symbols(one) | symbols(two)))}
    at1, at2 = substitute(one, chosen), substitute(two, chosen)
    try:
        zero1, zero2 = equal(at1, number(0), comparison.budget), equal(at2, number(0), comparison.budget)
        if zero1 or zero2:
            return None
        if equal(times(one, at2), times(two, at1), comparison.budget):
            return times(at1, Pow(at2, number(-1)))
    except Undecided:
        return None
    return None


def _solve(comparison: Compares, residual: Node, name: str) -> Node | None:
    """Solve a residual that is linear in one symbol for it; None when it is not linear."""
    at0, at1, at2 = (substitute(residual, {name: number(x)}) for x in (0, 1, 2))
    slope = plus(at1, negative(at0))
    try:
        if equal(slope, number(0), comparison.budget) or not equal(plus(at2, negative(at1)), slope, comparison.budget):
            return None
    except Undecided:
        return None
    return times(number(-1), at0, Pow(slope, number(-1)))


def _solved(comparison: Compares, gold: Relation, answer: Node) -> bool:
    """Whether the answer is the gold equation solved for the one symbol that it does not mention."""
    if gold.ops != ("=",) or not isinstance(answer, Expr) or not symbols(answer):
        return False
    missing = symbols(gold) - symbols(answer)
    if len(missing) != 1 or not symbols(answer) <= symbols(gold):
        return False
    solution = _solve(comparison, _residual(gold), next(iter(missing)))
    return solution is not None and equal(solution, answer, comparison.budget)


__all__ = ["Const", "all_named", "assignment", "distinct_names", "names", "same", "values"]
