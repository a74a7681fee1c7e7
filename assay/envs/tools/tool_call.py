"""assay/ToolCall-v0: one request, some functions, one turn: make the calls that are asked for and no others.

    light(room: string, on: boolean)
    timer(minutes: integer)
    Lights on in the hall, please.

is answered by `<tool_call>{"name": "light", "arguments": {"room": "hall", "on": true}}</tool_call>`. Calls are compared
as parsed JSON; nothing is run or evaluated.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from assay.core.errors import ConfigError
from assay.core.seeding import Split
from assay.core.task import Task, TaskSet
from assay.core.tool import ToolCall
from assay.envs.base import SingleTurnEnv
from assay.envs.procedural import check_between, task_source
from assay.envs.tools.calls.bfcl import load_bfcl
from assay.envs.tools.calls.generator import RequestGenerator, random_call
from assay.envs.tools.calls.gold import load
from assay.envs.tools.calls.verifier import FunctionCallVerifier

ENV_ID = "assay/ToolCall-v0"
_NO_CALL = "None of these functions can do that."
_INSTRUCTIONS = (
    "Answer the request by calling the functions that it needs, all in one turn and no others. Write each call as "
    '<tool_call>{"name": "...", "arguments": {...}}</tool_call>. If no function fits, say so without a call. '
    "The functions, as JSON schemas:"
)


class ToolCallEnv(SingleTurnEnv):
    """Single-shot function calling, generated or from a file in the format of BFCL.

    Options: `level` (1 to 3, see `RequestGenerator`), `unrelated` (share of requests that no function fits; an agent
    that never calls solves just these), `graded` (partial credit), `ordered`, `ignore_case`, `data` and `answers` (BFCL
    files; then `level` and `unrelated` mean nothing, and `split` may be `all`), `instructions`, `split`.

    Demonstrations: `right` makes the wanted calls, `guess` calls any function with made-up arguments.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("right", "guess")

    def __init__(
        self,
        *,
        level: int = 1,
        unrelated: float = 0.0,
        graded: bool = False,
        ordered: bool = False,
        ignore_case: bool = False,
        data: str | Path | None = None,
        answers: str | Path | None = None,
        instructions: bool = False,
        split: Split | Literal["all"] = "train",
        render_mode: str | None = None,
    ) -> None:
        check_between("level", level, 1, 3)
        if not 0 <= unrelated <= 1:
            raise ConfigError(f"unrelated must be a share between 0 and 1, not {unrelated!r}")
        text = _INSTRUCTIONS if instructions else ""
        tasks: TaskSet
        if data is not None:
            tasks = load_bfcl(data, answers, split, text)
        elif split == "all":
            raise ConfigError("split 'all' is for files (option 'data'); generated tasks have 'train' and 'eval'")
        else:
            tasks = task_source(ENV_ID, split, RequestGenerator(level, unrelated, text), RequestGenerator())
        verifier = FunctionCallVerifier(graded=graded, ordered=ordered, ignore_case=ignore_case)
        super().__init__(tasks, verifier, render_mode=render_mode)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return one turn."""
        if style == "right":
            return ["".join(call.example().render() for call in load(task.target)) or _NO_CALL]
        if style == "guess":
            return [ToolCall(*random_call(task.metadata["functions"], rng)).render()]
        return super().demonstrate(task, style, rng)
