"""Comparing tool calls: strict equality and ToolRL's graded score.

Arguments are compared as JSON values: 5 equals 5.0, differs from "5" unless numbers may be written as text, and true
is never 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.core.tool import ToolCall
from assay.verifiers.text.rational import read_number


@dataclass(frozen=True, slots=True)
class ArgumentRule:
    """When two arguments count as equal."""

    text_numbers: bool = False
    """`"5"` equals `5`."""
    ignore_case: bool = False

    def same(self, a: Any, b: Any) -> bool:
        """Whether two JSON values are equal under the rule."""
        if isinstance(a, bool) or isinstance(b, bool):
            return a is b
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            return a.keys() == b.keys() and all(self.same(a[key], b[key]) for key in a)
        if isinstance(a, list | tuple) and isinstance(b, list | tuple):
            return len(a) == len(b) and all(map(self.same, a, b))
        if isinstance(a, str) and isinstance(b, str):
            return a.strip() == b.strip() or (self.ignore_case and a.strip().casefold() == b.strip().casefold())
        if self.text_numbers and isinstance(a, str) != isinstance(b, str):
            return _number(a) is not None and _number(a) == _number(b)
        return bool(a == b)


def calls_equal(answer: Sequence[ToolCall], gold: Sequence[ToolCall], rule: ArgumentRule, *, ordered: bool) -> bool:
    """Whether the calls are the same, each used once; in the same order when `ordered`."""
    if len(answer) != len(gold):
        return False
    if ordered:
        return all(a.name == g.name and rule.same(a.arguments, g.arguments) for a, g in zip(answer, gold, strict=True))
    left = list(answer)
    for wanted in gold:  # equality is transitive, so the first match is as good as any
        found = next((c for c in left if c.name == wanted.name and rule.same(c.arguments, wanted.arguments)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def graded_share(answer: Sequence[ToolCall], gold: Sequence[ToolCall], rule: ArgumentRule) -> float:
    """Return S / S_max of ToolRL (arXiv 2504.13958), in [0, 1]; call order does not matter.

    S = Jaccard index of the names (as multisets) + for every gold call, over the best unused call of that name, the
    Jaccard index of the keys + the number of equal values. S_max = 1 + Σ (1 + number of gold arguments).
    """
    names_a, names_g = Counter(c.name for c in answer), Counter(c.name for c in gold)
    both = (names_a & names_g).total()
    score = both / (len(answer) + len(gold) - both)
    left = list(answer)
    for wanted in gold:
        same_name = [call for call in left if call.name == wanted.name]
        if same_name:
            best = max(same_name, key=lambda call: _argument_score(call, wanted, rule))
            score += _argument_score(best, wanted, rule)
            left.remove(best)
    return score / (1 + sum(1 + len(call.arguments) for call in gold))


def _argument_score(call: ToolCall, gold: ToolCall, rule: ArgumentRule) -> float:
    values = sum(key in call.arguments and rule.same(call.arguments[key], v) for key, v in gold.arguments.items())
    return _jaccard(call.arguments.keys(), gold.arguments.keys()) + values


def _jaccard(a: Collection[str], b: Collection[str]) -> float:
    union = set(a) | set(b)
    return len(set(a) & set(b)) / len(union) if union else 1.0


def _number(value: Any) -> Any:
    try:
        return read_number(str(value)).value
    except ValueError:
        return None
