"""Comparison of values with units, percent and degree signs."""

from __future__ import annotations

from fractions import Fraction

from assay.verifiers.answers import relations
from assay.verifiers.answers.comparing import Compares
from assay.verifiers.answers.nodes import (
    Call,
    Const,
    Mul,
    Node,
    Num,
    Pow,
    Quantity,
    Relation,
    Sym,
    number,
    over,
    symbols,
    times,
)
from assay.verifiers.answers.units import Dimension, is_claim, parse_unit, same_words

_SIGNS = {"percent": "%", "deg": "deg", "degC": "degC", "degF": "degF"}
"""Functions of the syntax tree that are written as signs after a number, and their units."""


def same(comparison: Compares, gold: Node, answer: Node) -> bool:
    """Compare two values of which at least one carries a unit, a percent or a degree sign."""
    (value1, unit1), (value2, unit2) = _measure(gold), _measure(answer)
    if unit1 and not unit2 and unit1 not in ("%", "deg"):
        value2, unit2 = _letter_unit(value2, unit1)
    if unit2 and not unit1 and unit2 not in ("%", "deg"):
        value1, unit1 = _letter_unit(value1, unit2)
    if is_claim(unit1) or is_claim(unit2):
        return gold == answer
    if isinstance(value1, Relation) or isinstance(value2, Relation):
        return _labelled(comparison, gold, answer)
    if comparison.policy.units == "ignore":
        return comparison.same(value1, value2)
    known1, known2 = _dimension(unit1), _dimension(unit2)
    if unit1 and unit2:
        if "%" in (unit1, unit2) and unit1 != unit2:
            return False
        if known1 is None and known2 is None:
            return same_words(unit1, unit2) and comparison.same(value1, value2)
        if known1 is None or known2 is None:
            return False
        if {unit1, unit2} == {"pound", "pounds"}:  # money, though the plural is a weight first
            return comparison.same(value1, value2)
        if known1[1] != known2[1]:
            return _angles(comparison, value1, unit1, value2, unit2)
        if known1[0] == known2[0]:
            return comparison.same(value1, value2)
        return comparison.same(_scaled(value1, known1[0]), _scaled(value2, known2[0]))
    unit = unit1 or unit2
    if unit == "%":
        return _percent(comparison, value1, bool(unit1), value2, bool(unit2))
    if comparison.policy.units == "required" and unit1:
        return False
    if comparison.same(value1, value2):
        return True
    return _angles(comparison, value1, unit1, value2, unit2)


def _labelled(comparison: Compares, gold: Node, answer: Node) -> bool:
    """Compare relations whose last operand carries the unit."""

    def push(node: Node) -> Node:
        if isinstance(node, Quantity) and isinstance(node.value, Relation):
            rel = node.value
            return Relation((*rel.operands[:-1], Quantity(rel.operands[-1], node.unit)), rel.ops)
        return node

    return relations.same(comparison, push(gold), push(answer))


def _percent(comparison: Compares, value1: Node, percent1: bool, value2: Node, percent2: bool) -> bool:
    if comparison.policy.percent in ("unit", "either") and comparison.same(value1, value2):
        return True
    if comparison.policy.percent in ("fraction", "either"):
        return comparison.same(_hundredth(value1) if percent1 else value1, _hundredth(value2) if percent2 else value2)
    return False


def _angles(comparison: Compares, value1: Node, unit1: str, value2: Node, unit2: str) -> bool:
    """Compare degrees with radians where the policy allows it."""
    if comparison.policy.degrees != "angle" or not {unit1, unit2} <= {"deg", "rad", ""} or "deg" not in (unit1, unit2):
        return False
    turn = over(Const("pi"), number(180))
    one = times(value1, turn) if unit1 == "deg" else value1
    two = times(value2, turn) if unit2 == "deg" else value2
    return comparison.same(one, two)


def has_sign(gold: Node, answer: Node) -> bool:
    """Whether one of the answers carries a percent or degree sign."""
    return any(isinstance(n, Call) and n.name in _SIGNS for n in (gold, answer))


def _measure(node: Node) -> tuple[Node, str]:
    """Return value and unit; signs count as units, and a unit of no dimension as none."""
    if isinstance(node, Call) and node.name in _SIGNS:
        return node.args[0], _SIGNS[node.name]
    if isinstance(node, Quantity):
        known = parse_unit(node.unit)
        if known is not None and not known[1]:
            return (node.value if known[0] == 1 else _scaled(node.value, known[0])), ""
        if known is not None and known[1] in ((("%", 1),), (("deg", 1),)):
            return node.value, known[1][0][0]
        inner, sign = _measure(node.value)
        return (inner, f"{sign}{node.unit}") if sign == "deg" and node.unit in ("C", "F") else (node.value, node.unit)
    return node, ""


def _letter_unit(value: Node, unit: str) -> tuple[Node, str]:
    """Read `5 m` as a quantity when the other side is one: the trailing letter is the unit."""
    if not isinstance(value, Mul) or not isinstance(value.factors[0], Num) or parse_unit(unit) is None:
        return value, ""
    spelled: list[str] = []
    size = next((k for k, factor in enumerate(value.factors) if symbols(factor)), len(value.factors))
    for factor in value.factors[size:]:
        exponent = Fraction(1)
        base: Node = factor
        while isinstance(base, Pow) and isinstance(base.exponent, Num):
            exponent *= base.exponent.value
            base = base.base
        if exponent.denominator != 1:
            return value, ""
        power = "" if exponent == 1 else f"^{exponent}"
        if not isinstance(base, Sym):
            return value, ""
        spelled.append(f"{base.name}{power}")
    letters = " ".join(spelled)
    return (times(*value.factors[:size]), letters) if parse_unit(letters) is not None else (value, "")


def _dimension(unit: str) -> tuple[Fraction, Dimension] | None:
    return parse_unit(unit) if unit else None


def _scaled(value: Node, factor: Fraction) -> Node:
    return times(number(factor), value)


def _hundredth(value: Node) -> Node:
    return times(number(Fraction(1, 100)), value)
