"""Golds that are tool calls: reading them, and writing them in the dialects that graders read.

A gold is a list of `{"name", "arguments"}`, or its JSON text in the form of the Berkeley leaderboard, where every
argument lists the values that are accepted. In a frame, `{call}` stands for one call and is repeated, `{calls}` for all
of them, separated by commas.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from assay.envs.tools.calls.gold import Wanted, load

Call = Mapping[str, Any]
Calls = list[dict[str, Any]]

CALL_FRAMES: Sequence[str] = ("<tool_call>{call}</tool_call>", "[{calls}]", "{call}")
"""The canonical form, a JSON list (OpenAI, Berkeley), a bare JSON object."""


def read_calls(target: Any) -> list[Wanted] | Calls | None:
    """Return the calls of a gold, None for a gold that is none."""
    if isinstance(target, str):
        if not target.lstrip().startswith("[{"):
            return None
        try:
            return load(target)
        except ValueError:
            return None
    if not isinstance(target, (list, tuple)):
        return None
    rows = [dict(call) for call in target if isinstance(call, Mapping)]
    named = all(isinstance(c.get("name"), str) and isinstance(c.get("arguments", {}), Mapping) for c in rows)
    return rows if named and len(rows) == len(target) else None


def gold_calls(target: Any) -> Calls:
    """Return one definite list of calls that the gold accepts."""
    return [_definite(call) for call in read_calls(target) or []]


def _definite(call: Wanted | Call) -> dict[str, Any]:
    if isinstance(call, Wanted):
        example = call.example()
        return {"name": example.name, "arguments": dict(example.arguments)}
    return {"name": call["name"], "arguments": dict(call.get("arguments", {}))}


def write_calls(calls: Sequence[Call], frame: str, dump: Callable[[Call], str] | None = None) -> str:
    """Write calls in a frame; no call at all is written as a plain sentence."""
    dump = dump or (lambda call: json.dumps(call, ensure_ascii=False))
    if not calls:
        return "No tool is needed for this."
    if "{calls}" in frame:
        return frame.replace("{calls}", ", ".join(map(dump, calls)))
    return "\n".join(frame.replace("{call}", dump(call)) for call in calls)
