"""Comparison of lists, sets of items and tuples."""

from __future__ import annotations

from collections.abc import Sequence

from assay.verifiers.answers import ellipsis, realsets, relations, words
from assay.verifiers.answers.comparing import Compares
from assay.verifiers.answers.nodes import Call, Expr, Group, Listing, Node, SetOf, Sym, Text, walk


def same(comparison: Compares, gold: Node, answer: Node) -> bool:
    """Compare two collections; the gold decides whether order counts."""
    if isinstance(gold, Group) and isinstance(answer, Group):
        return _groups(comparison, gold, answer)
    if isinstance(gold, Group) or isinstance(answer, Group):
        group, other = (gold, answer) if isinstance(gold, Group) else (answer, gold)
        return (
            isinstance(other, Listing)
            and isinstance(group, Group)
            and (len(group.items) > 2 or relations.all_named(other.items))
            and len(group.items) == len(other.items)
            and all(comparison.same(a, b) for a, b in zip(_items(gold), _items(answer), strict=True))
        )
    if isinstance(gold, Listing) and isinstance(answer, Listing) and realsets.is_inequality(gold):
        if realsets.is_inequality(answer) and comparison.same_set(gold, answer):
            return True
        if gold.joint != answer.joint:
            return False
    if words.same_choices(gold, answer) or words.same_verdict(gold, answer):
        return True
    if {getattr(gold, "joint", ","), getattr(answer, "joint", ",")} == {"and", "or"} and _all_names(gold, answer):
        return False
    one, two = ellipsis.written_out(_items(gold)), ellipsis.written_out(_items(answer))
    if len(one) != len(two):
        return _without_duplicates(comparison, one, two) if not comparison.policy.duplicates else False
    return _same_items(comparison, one, two, ordered=comparison.policy.list_order and isinstance(gold, Listing))


def _without_duplicates(comparison: Compares, one: Sequence[Node], two: Sequence[Node]) -> bool:
    covered = all(any(comparison.same(a, b) for b in two) for a in one)
    return covered and all(any(comparison.same(a, b) for a in one) for b in two)


def _groups(comparison: Compares, gold: Group, answer: Group) -> bool:
    brackets = (gold.left, gold.right), (answer.left, answer.right)
    if len(gold.items) != len(answer.items) or (len(gold.items) == 2 and brackets[0] != brackets[1]):
        return False
    return all(comparison.same(a, b) for a, b in zip(gold.items, answer.items, strict=True))


def _same_items(comparison: Compares, one: Sequence[Node], two: Sequence[Node], *, ordered: bool) -> bool:
    """Compare items one to one: in order when the names on one side fix the order, else in any order."""
    if any(isinstance(i, Call) and i.name == "ellipsis" for i in (*one, *two)):
        ordered = True
    named1, named2 = relations.names(one), relations.names(two)
    if (named1 is None) != (named2 is None):
        ordered = ordered or relations.distinct_names(named1 or named2 or [])
        one, two = relations.values(one), relations.values(two)
    elif named1 is None:
        one, two = relations.without_first_name(one), relations.without_first_name(two)
    if ordered:
        return all(comparison.same(a, b) for a, b in zip(one, two, strict=True))
    return paired_off(comparison, one, two)


def paired_off(comparison: Compares, one: Sequence[Node], two: Sequence[Node]) -> bool:
    """Whether the items can be paired off."""
    left = list(two)
    keys = [_key(comparison, b) for b in left]
    for a in one:
        wanted = _key(comparison, a)
        for position, b in enumerate(left):
            if wanted is not None and keys[position] is not None and not _near(wanted, keys[position]):
                continue
            if comparison.same(a, b):
                del left[position], keys[position]
                break
        else:
            return False
    return not left


def _key(comparison: Compares, node: Node) -> float | None:
    """Return a number that equal items share, to skip hopeless pairs."""
    return comparison.approximate(node) if isinstance(node, Expr) and not _special(node) else None


def _items(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Listing | SetOf | Group) else (node,)


def _all_names(*lists: Node) -> bool:
    """Whether the items are letters or words, of which "p and q" says something else than "p or q"."""
    return all(isinstance(item, Sym | Text) for listing in lists for item in listing.children())


def _special(node: Node) -> bool:
    return any(isinstance(n, Call) and n.name in ("ellipsis", "percent", "deg") for n in walk(node))


def _near(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return True
    return abs(a - b) <= 0.05 * max(abs(a), abs(b), 1e-300) or a == b
