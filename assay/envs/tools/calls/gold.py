"""What a request calls for: calls whose arguments may take one of several values.

The form is that of the Berkeley Function Calling Leaderboard: `{"name": "set_timer", "arguments": {"minutes": [5]}}`;
an empty string among the values makes the argument optional, and inside objects every key again lists its values.
Values are compared as JSON, so 1.5 is not 15 and true is not 1; nothing is ever evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.core.tool import ToolCall
from assay.verifiers.tools.matching import ArgumentRule


@dataclass(frozen=True, slots=True)
class Wanted:
    """One wanted call; `arguments` maps each name to the values that are accepted."""

    name: str
    arguments: Mapping[str, Sequence[Any]]

    def accepts(self, call: ToolCall, rule: ArgumentRule) -> bool:
        """Whether a call is this one."""
        return call.name == self.name and _accepts_all(self.arguments, call.arguments, rule)

    def example(self) -> ToolCall:
        """Return the call with the first value of each argument that must be there."""
        return ToolCall(self.name, _first_of_all(self.arguments))


def dump(wanted: Sequence[Wanted]) -> str:
    """Return the calls as a text, the form in which tasks carry them."""
    return json.dumps([{"name": call.name, "arguments": call.arguments} for call in wanted], ensure_ascii=False)


def load(target: Any) -> list[Wanted]:
    """Read the calls of a target. ValueError says what is wrong."""
    rows = json.loads(target) if isinstance(target, str) else target
    if not isinstance(rows, list):
        raise ValueError("the target must be a list of calls")
    found = []
    for row in rows:
        arguments = row.get("arguments") if isinstance(row, Mapping) else None
        if not isinstance(arguments, Mapping) or not isinstance(row.get("name"), str):
            raise ValueError('a call is {"name": ..., "arguments": {name: [accepted values]}}')
        for name, values in arguments.items():
            if not isinstance(values, list) or not values:
                raise ValueError(f"argument {name!r} of {row['name']!r} must list its accepted values")
        found.append(Wanted(row["name"], arguments))
    return found


def settle(wanted: Sequence[Wanted], calls: Sequence[ToolCall], rule: ArgumentRule) -> list[dict[str, Any]]:
    """Return one definite gold call for each wanted one: the call that meets it, where there is one.

    Which call is taken for which wanted one is a maximum bipartite matching (augmenting paths): with alternatives,
    first come first served could miss it.
    """
    taken: dict[int, int] = {}

    def place(i: int, seen: set[int]) -> bool:
        for j, call in enumerate(calls):
            if j not in seen and wanted[i].accepts(call, rule):
                seen.add(j)
                if j not in taken or place(taken[j], seen):
                    taken[j] = i
                    return True
        return False

    for i in range(len(wanted)):
        place(i, set())
    chosen = {i: calls[j] for j, i in taken.items()}
    settled = [chosen.get(i) or want.example() for i, want in enumerate(wanted)]
    return [{"name": call.name, "arguments": dict(call.arguments)} for call in settled]


def _accepts_all(options: Mapping[str, Any], given: Mapping[str, Any], rule: ArgumentRule) -> bool:
    if not given.keys() <= options.keys():
        return False
    return all(
        any(_accepts(value, given[name], rule) for value in values) if name in given else "" in values
        for name, values in options.items()
    )


def _accepts(option: Any, value: Any, rule: ArgumentRule) -> bool:
    if isinstance(option, Mapping) and isinstance(value, Mapping):
        return _accepts_all({name: v if isinstance(v, list) else [v] for name, v in option.items()}, value, rule)
    if isinstance(option, list) and isinstance(value, list):
        return len(option) == len(value) and all(_accepts(o, v, rule) for o, v in zip(option, value, strict=True))
    return rule.same(option, value)


def _first_of_all(options: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {}
    for name, values in options.items():
        values = values if isinstance(values, list) else [values]
        if "" not in values:
            chosen[name] = _first(values[0])
    return chosen


def _first(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _first_of_all(value)
    return [_first(item) for item in value] if isinstance(value, list) else value
