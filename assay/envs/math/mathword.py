"""assay/MathWord-v0: word problems from any JSONL or Parquet file, or a Hugging Face dataset.

The gold answers are read when the file is loaded: one that the verifier cannot read would give no verdict on any
answer, so such rows are counted, listed, and refused unless `allow_unreadable=True` drops them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from assay.core.errors import ConfigError, DataError
from assay.core.kept import kept
from assay.core.task import Task, of_split
from assay.envs.base import SingleTurnEnv
from assay.envs.math.rows import RowFormat, last_boxed, read_math_rows
from assay.verifiers import make_verifier
from assay.verifiers.base import Verifier

TEMPLATE = "{question}\n\nPlease reason step by step, and put your final answer within \\boxed{}."
_SHOWN = 3


class MathWordEnv(SingleTurnEnv):
    r"""Math problems with short answers, from a file of question/answer rows.

    Options:
        data: `file.jsonl`, `file.parquet` or `hf://owner/name[/config]:split`. GSM8K and MATH rows are understood.
        question_field, answer_field: For rows with other names.
        template: The prompt; `{question}` stands for the question. The default asks for `\boxed{}`.
        verifier: A registered name or a `Verifier`.
        allow_unreadable: Drop rows whose gold the verifier cannot read (`unreadable` lists them).
        split: `all` rows, or those of `train` or `eval`: by their own field `split`, else by a hash of the question.
        limit: Read only the first rows.

    Demonstrations: `solution` is the row's worked solution, where it has one, and the boxed gold answer.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("solution",)

    def __init__(
        self,
        *,
        data: str | Path,
        question_field: str | None = None,
        answer_field: str | None = None,
        template: str = TEMPLATE,
        verifier: str | Verifier = "math",
        allow_unreadable: bool = False,
        split: Literal["all", "train", "eval"] = "all",
        limit: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        if "{question}" not in template:
            raise ConfigError("template must contain {question}")
        if split not in ("all", "train", "eval"):
            raise ConfigError(f"split must be 'all', 'train' or 'eval', not {split!r}")
        judge = make_verifier(verifier) if isinstance(verifier, str) else verifier
        row_format = RowFormat(template, question_field, answer_field)
        rows = _load(str(data), row_format, limit, _Judge(judge.label, judge))
        self.unreadable: tuple[str, ...] = rows.unreadable
        """The rows whose gold cannot be read, as `line: reason`."""
        if rows.unreadable and not allow_unreadable:
            raise DataError(_refusal(rows), path=str(data))
        super().__init__(of_split(rows.tasks, split, data), judge, render_mode=render_mode)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        r"""Return one turn: the worked solution, ending in the gold answer in `\boxed{}`."""
        if style not in self.demonstration_styles:
            return super().demonstrate(task, style, rng)
        solution = task.metadata.get("solution", "")
        if last_boxed(solution) == task.target:
            return [solution]
        return [f"{solution}\n\nThe answer is $\\boxed{{{task.target}}}$.".lstrip()]


@dataclass(frozen=True)
class _Judge:
    """A verifier, which reads golds as all of its label do."""

    label: str
    verifier: Verifier = field(compare=False)


@dataclass(frozen=True)
class _Rows:
    tasks: tuple[Task, ...]
    unreadable: tuple[str, ...]


@kept
def _load(data: str, row_format: RowFormat, limit: int | None, judge: _Judge) -> _Rows:
    """Read the rows and check every gold."""
    tasks: list[Task] = []
    unreadable: list[str] = []
    for number, task in read_math_rows(data, row_format, limit):
        reason = judge.verifier.check_target(task)
        if reason is None:
            tasks.append(task)
        else:
            unreadable.append(f"{number}: {reason}")
    if not tasks and not unreadable:
        raise DataError("holds no rows", path=data)
    return _Rows(tuple(tasks), tuple(unreadable))


def _refusal(rows: _Rows) -> str:
    total = len(rows.tasks) + len(rows.unreadable)
    shown = "; ".join(f"line {entry}" for entry in rows.unreadable[:_SHOWN])
    more = "; ..." if len(rows.unreadable) > _SHOWN else ""
    return (
        f"{len(rows.unreadable)} of {total} gold answers cannot be read ({shown}{more}); mend them, or drop them with "
        "allow_unreadable=true"
    )
