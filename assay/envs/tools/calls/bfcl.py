"""Rows of the Berkeley Function Calling Leaderboard, read from the user's own copy.

Questions and accepted answers lie in two files of the same name, in `possible_answer/` beside the questions:
`{"id", "question": [[{"role", "content"}, ...]], "function": [...]}` and `{"id", "ground_truth": [{name: {argument:
[values]}}]}`. Rows may carry `ground_truth` themselves. Categories without answers (irrelevance) want no call.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assay.core.errors import DataError
from assay.core.message import is_message
from assay.core.seeding import split_of
from assay.core.task import Task, TaskList, of_split, read_jsonl
from assay.envs.tools.calls.generator import opening
from assay.envs.tools.calls.gold import Wanted, dump


def load_bfcl(data: str | Path, answers: str | Path | None, split: str, instructions: str) -> TaskList:
    """Read one category. `answers` defaults to `possible_answer/<same name>` where that exists."""
    beside = Path(data).parent / "possible_answer" / Path(data).name
    where = Path(answers) if answers is not None else beside if beside.exists() else None
    gold = {} if where is None else {row.get("id"): row.get("ground_truth") for _, row in read_jsonl(where)}
    missing: Any = [] if where is None else None
    tasks = []
    for line, row in read_jsonl(data):
        try:
            truth = row.get("ground_truth", gold.get(row.get("id"), missing))
            task = _task(row, truth, instructions)
        except ValueError as error:
            raise DataError(str(error), path=str(data), line=line) from None
        tasks.append(task)
    return of_split(tasks, split, data)


def _task(row: dict[str, Any], truth: Any, instructions: str) -> Task:
    turns, functions = row.get("question"), row.get("function")
    if not isinstance(row.get("id"), str) or not isinstance(functions, list):
        raise ValueError("a row needs 'id', 'question' and 'function'")
    if not isinstance(turns, list) or len(turns) != 1 or not all(map(is_message, turns[0])):
        raise ValueError("'question' must hold one turn of messages; multi-turn rows are not single-shot")
    if truth is None:
        raise ValueError(f"no ground truth for {row['id']!r}")
    functions = [_plain(function) for function in functions]
    *before, last = turns[0]
    told = opening(functions, str(last["content"]), instructions)
    return Task(
        id=row["id"],
        prompt=(*told[:-1], *before, told[-1]),
        target=dump(list(_wanted(truth))),
        split=split_of(row["id"]),
        metadata={"functions": functions},
    )


def _wanted(truth: Any) -> Iterator[Wanted]:
    if not isinstance(truth, list):
        raise ValueError("'ground_truth' must be a list of calls")
    for call in truth:
        if not isinstance(call, dict) or len(call) != 1:
            raise ValueError("a call of 'ground_truth' is {name: {argument: [values]}}")
        ((name, arguments),) = call.items()
        if not isinstance(arguments, dict) or not all(isinstance(v, list) and v for v in arguments.values()):
            raise ValueError(f"the arguments of {name!r} must list their accepted values")
        yield Wanted(name, arguments)


def _plain(function: Any) -> dict[str, Any]:
    """Return a function with JSON schema's name for an object, which BFCL calls `dict`."""
    if not isinstance(function, dict) or not isinstance(function.get("parameters"), dict):
        raise ValueError("a function needs 'name' and 'parameters'")
    parameters = {"properties": {}, **function["parameters"], "type": "object"}
    return {**function, "parameters": parameters}
