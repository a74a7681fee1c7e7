"""assay/ToolCall-v0: one request, some functions, one turn: make the calls that are asked for and no others.

    light(room: string, on: boolean)
    timer(minutes: integer)
    Lights on in the hall, please.

is answered by `<tool_call>{"name": "light", "arguments": {"room": "hall", "on": true}}</tool_call>`, or on a console by
the command `light hall true`. Calls are compared as parsed JSON; nothing is run or evaluated.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from assay.core.errors import ConfigError, ToolError
from assay.core.seeding import Split
from assay.core.task import Task, TaskSet
from assay.core.tool import Tool, ToolCall, map_tool_calls
from assay.envs.base import SingleTurnEnv
from assay.envs.procedural import task_source
from assay.envs.tools.calls.bfcl import load_bfcl
from assay.envs.tools.calls.generator import RequestGenerator, random_call
from assay.envs.tools.calls.gold import load
from assay.envs.tools.calls.verifier import FunctionCallVerifier
from assay.envs.tools.console import NAME, Interface, as_call, as_command, check_interface
from assay.verifiers.base import Evidence

ENV_ID = "assay/ToolCall-v0"
_NO_CALL = "None of these functions can do that."
_INSTRUCTIONS = (
    "Answer the request by calling the functions that it needs, all in one turn and no others. Write each call as "
    "{form}. If no function fits, say so without a call. The functions, as JSON schemas:"
)
_FORMS = {
    "tools": '<tool_call>{"name": "...", "arguments": {...}}</tool_call>',
    "console": '<tool_call>{"name": "run", "arguments": {"command": "..."}}</tool_call>, the command being the '
    "function's name and its arguments in order, quoted where they have spaces",
}


class ToolCallEnv(SingleTurnEnv):
    """Single-shot function calling, generated or from a file in the format of BFCL.

    Options: `level` (1 to 3, see `RequestGenerator`), `unrelated` (share of requests that no function fits; an agent
    that never calls solves just these), `functions` (how many kinds there are to draw from, up to 8), `interface`
    (`tools`, or `console`: one tool that takes commands such as `light hall true`, for generated requests), `graded`
    (partial credit), `ordered`, `ignore_case`, `data` and `answers` (BFCL files; then `level` and `unrelated` mean
    nothing, and `split` may be `all`), `instructions`, `split`.

    Demonstrations: `right` makes the wanted calls, `guess` calls any function with made-up arguments.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("right", "guess")

    def __init__(
        self,
        *,
        level: int = 1,
        unrelated: float = 0.0,
        functions: int = 8,
        interface: Interface = "tools",
        graded: bool = False,
        ordered: bool = False,
        ignore_case: bool = False,
        data: str | Path | None = None,
        answers: str | Path | None = None,
        instructions: bool = False,
        split: Split | Literal["all"] = "train",
        render_mode: str | None = None,
    ) -> None:
        if not 0 <= unrelated <= 1:
            raise ConfigError(f"unrelated must be a share between 0 and 1, not {unrelated!r}")
        check_interface(interface)
        if interface == "console" and data is not None:
            raise ConfigError("interface 'console' is for generated requests: the arguments of files may be left out")
        text = _INSTRUCTIONS.replace("{form}", _FORMS[interface]) if instructions else ""
        tasks: TaskSet
        if data is not None:
            tasks = load_bfcl(data, answers, split, text)
        elif split == "all":
            raise ConfigError("split 'all' is for files (option 'data'); generated tasks have 'train' and 'eval'")
        else:
            tasks = task_source(ENV_ID, split, RequestGenerator(level, unrelated, functions, text), RequestGenerator())
        verifier = FunctionCallVerifier(graded=graded, ordered=ordered, ignore_case=ignore_case)
        self.interface = interface
        tools = [_command_tool()] if interface == "console" else []
        super().__init__(tasks, verifier, tools=tools, render_mode=render_mode)

    def evidence(self) -> Evidence:
        """Return the transcript, and the answer with its commands read as calls."""
        seen = super().evidence()
        return replace(seen, text=map_tool_calls(seen.text, self._read)) if self.interface == "console" else seen

    def _read(self, call: ToolCall) -> ToolCall:
        assert self.task is not None
        try:
            return as_call(call, self.task.metadata["functions"])
        except ToolError:
            return ToolCall(NAME, call.arguments)  # calls nothing that is wanted

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return one turn."""
        if style == "right":
            calls = [call.example() for call in load(task.target)]
        elif style == "guess":
            calls = [ToolCall(*random_call(task.metadata["functions"], rng))]
        else:
            return super().demonstrate(task, style, rng)
        if self.interface == "console":
            calls = [as_command(call) for call in calls]
        return ["".join(call.render() for call in calls) or _NO_CALL]


def _command_tool() -> Tool:
    def run(command: str) -> str:
        raise ToolError("the turn ends the episode: nothing is run")

    return Tool(run, name=NAME, description="Call a function: its name and its arguments in order.")
