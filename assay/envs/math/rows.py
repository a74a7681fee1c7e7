r"""Question/answer rows of data files, as math tasks.

Understood without options: GSM8K (`question`, `answer` ending in `#### n`), MATH (`problem`, `answer` and `solution`,
or a `solution` with `\boxed{}` only), and rows with a plain `question` and `answer`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from assay.core.errors import DataError
from assay.core.seeding import split_of
from assay.core.task import Task, content_id, read_rows

_QUESTION_FIELDS = ("question", "problem", "prompt")
_ID_FIELDS = ("id", "unique_id", "task_id")
_SPLITS = {"train": "train", "eval": "eval", "test": "eval", "validation": "eval", "valid": "eval", "dev": "eval"}
_ANNOTATION = re.compile(r"<<[^<>]*>>")


@dataclass(frozen=True)
class RowFormat:
    """How rows become tasks. Fields that are None are found by the usual names."""

    template: str
    question_field: str | None = None
    answer_field: str | None = None

    def task(self, row: dict[str, Any]) -> Task:
        """Return the task of a row. Raises `ValueError` with what is wrong."""
        question = _text(row, self.question_field, _QUESTION_FIELDS, "question")
        target, solution = self._gold(row)
        declared = _SPLITS.get(str(row.get("split", "")).lower())
        return Task(
            id=_given_id(row) or content_id(question, target),
            prompt=self.template.replace("{question}", question),
            target=target,
            split=declared or split_of(question),
            tags=_tags(row),
            difficulty=_level(row.get("level", row.get("difficulty"))),
            metadata={"question": question, "solution": solution},
        )

    def _gold(self, row: dict[str, Any]) -> tuple[str, str]:
        """Return the final answer, and the worked solution (empty when the row has none)."""
        if self.answer_field is None and "answer" not in row and isinstance(row.get("solution"), str):
            boxed = last_boxed(row["solution"])
            if boxed is None:
                raise ValueError("no field 'answer', and no \\boxed{} in 'solution'")
            return boxed, row["solution"]
        answer = _text(row, self.answer_field, ("answer",), "answer")
        working, mark, final = answer.rpartition("####")
        if mark:
            return final.strip(), _ANNOTATION.sub("", working).strip()
        return answer.strip(), str(row.get("solution") or "")


def read_math_rows(source: str | Path, row_format: RowFormat, limit: int | None = None) -> Iterator[tuple[int, Task]]:
    """Yield `(row number, task)`; `DataError` with `file:line` for a row without question or answer.

    Identical rows without an id of their own get ids that end in `-2`, `-3`, so that none is lost.
    """
    seen: dict[str, int] = {}
    for number, row in islice(read_rows(source), limit):
        try:
            task = row_format.task(row)
        except ValueError as error:
            raise DataError(str(error), path=str(source), line=number) from None
        seen[task.id] = seen.get(task.id, 0) + 1
        if seen[task.id] > 1 and _given_id(row) is None:
            task = replace(task, id=f"{task.id}-{seen[task.id]}")
        yield number, task


def last_boxed(text: str) -> str | None:
    r"""Return the content of the last `\boxed{...}`, braces balanced, or None."""
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    depth = 0
    for position in range(start + 6, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[start + 7 : position].strip()
    return None


def _text(row: dict[str, Any], field: str | None, usual: tuple[str, ...], what: str) -> str:
    """Return the text of the named field, or of the first usual one there is; numbers are answers too."""
    name = field or next((name for name in usual if name in row), None)
    if name is None or name not in row:
        wanted = repr(field) if field else " or ".join(map(repr, usual))
        raise ValueError(f"no field {wanted} for the {what}; the row has {', '.join(map(repr, row)) or 'none'}")
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"field {name!r} must be text, not {type(value).__name__}")
    return str(value)


def _given_id(row: dict[str, Any]) -> str | None:
    return next((str(row[name]) for name in _ID_FIELDS if row.get(name) not in (None, "")), None)


def _tags(row: dict[str, Any]) -> tuple[str, ...]:
    tags = row.get("tags")
    listed = tuple(str(tag) for tag in tags) if isinstance(tags, list) else ()
    return listed + tuple(str(row[name]) for name in ("subject", "type") if isinstance(row.get(name), str))


def _level(value: Any) -> float | None:
    """Read `5`, `2.5` or `Level 5`."""
    found = re.search(r"[0-9]+(?:\.[0-9]+)?", str(value)) if value is not None else None
    return float(found.group()) if found else None
