"""Comparison of ratios and of numerals in a base."""

from __future__ import annotations

from fractions import Fraction

from assay.verifiers.answers.comparing import Compares
from assay.verifiers.answers.nodes import (
    Based,
    Call,
    Expr,
    Node,
    Num,
    Ratio,
    over,
    times,
)


def same_ratio(comparison: Compares, gold: Node, answer: Node) -> bool:
    """Compare ratios up to a common factor, and a ratio of two with its quotient. A time such as 12:00 is literal."""
    if isinstance(gold, Ratio) and isinstance(answer, Ratio):
        if "to" not in (gold.spelling, answer.spelling) and gold.spelling == answer.spelling:
            return True
        if len(gold.parts) != len(answer.parts) or not all(isinstance(p, Expr) for p in (*gold.parts, *answer.parts)):
            return False
        if any(isinstance(p, Call) and p.name == "ellipsis" for p in (*gold.parts, *answer.parts)):
            return all(comparison.same(a, b) for a, b in zip(gold.parts, answer.parts, strict=True))
        first1, first2 = gold.parts[0], answer.parts[0]
        if Num(Fraction(0)) in (*gold.parts, *answer.parts):
            return all(comparison.same(a, b) for a, b in zip(gold.parts, answer.parts, strict=True))
        return all(
            comparison.same_value(times(a, first2), times(b, first1))
            for a, b in zip(gold.parts[1:], answer.parts[1:], strict=True)
        )
    ratio, other = (gold, answer) if isinstance(gold, Ratio) else (answer, gold)
    if not isinstance(ratio, Ratio) or len(ratio.parts) != 2 or ratio.spelling == "to" or not isinstance(other, Expr):
        return False
    if ratio.parts[1] == Num(Fraction(0)):
        return False
    return comparison.same_value(over(ratio.parts[0], ratio.parts[1]), other)


def same_numeral(comparison: Compares, gold: Node, answer: Node) -> bool:
    """Compare numerals of which at least one names its base, as the policy has it."""
    if isinstance(gold, Based) and isinstance(answer, Based):
        if gold.base == answer.base:
            return gold.digits.lstrip("0").upper() == answer.digits.lstrip("0").upper()
        if comparison.policy.bases != "value":
            return False
        return _value(gold) is not None and _value(gold) == _value(answer)
    based, other = (gold, answer) if isinstance(gold, Based) else (answer, gold)
    if not isinstance(based, Based) or not isinstance(other, Num):
        return False
    if comparison.policy.bases == "ignore":
        return str(other.value) == based.digits.lstrip("0")
    if comparison.policy.bases == "value" or based.base == 10:
        return _value(based) == other.value
    return False


def _value(node: Node) -> Fraction | None:
    try:
        return Fraction(int(node.digits, node.base)) if isinstance(node, Based) else None
    except ValueError:
        return None
