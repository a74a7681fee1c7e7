"""ToolEnv: the agent calls tools, and a turn without a call is the final answer.

What the agent got wrong (no such tool, bad arguments, a `ToolError`) goes back to it as the tool's message, and it
may try again. What the tool got wrong (any other exception) is a fault: the episode ends without a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assay.core.errors import Fault, ToolError
from assay.core.message import Message, tool_result
from assay.core.task import TaskSet
from assay.core.tool import Tool, ToolCall, find_tool, parse_tool_calls
from assay.envs.base import Progress, TaskEnv
from assay.verifiers.base import Verifier


class ToolEnv(TaskEnv):
    """An environment with tools, several turns, and as many calls in a turn as the agent likes.

    Args:
        tasks: The tasks.
        verifier: Judges the last turn, or what `evidence` collects.
        tools: Made by `assay.tool` from typed functions.
        max_turns: Turns in all, the final answer included.
        max_calls: Calls in one turn; the rest are refused with a message.
        max_result: Characters of one result; the rest is cut off, and the agent is told.
    """

    def __init__(
        self,
        tasks: TaskSet,
        verifier: Verifier,
        tools: Sequence[Tool],
        *,
        max_turns: int = 8,
        max_calls: int = 16,
        max_result: int = 8000,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(tasks, verifier, max_turns=max_turns, tools=tools, render_mode=render_mode)
        self.max_calls, self.max_result = max_calls, max_result

    def advance(self, action: str) -> Progress:
        """Run the calls of this turn in order; without any, the episode is over."""
        calls = parse_tool_calls(action)
        if not calls:
            if "<tool_call>" not in action:
                return Progress(done=True)
            calls = [ToolCall("", error="the call is cut off: </tool_call> is missing")]
        messages = [self.call(call) for call in calls[: self.max_calls]]
        if len(calls) > self.max_calls:
            refused = len(calls) - self.max_calls
            messages.append(tool_result("", f"error: {refused} calls not run; at most {self.max_calls} in one turn"))
        return Progress(messages)

    def call(self, call: ToolCall) -> Message:
        """Run one call and return the message with its result or its error."""
        name = ""
        try:
            if call.error:
                raise ToolError(call.error)
            name = find_tool(self.tools, call.name).name
            return tool_result(name, self._cut(self.run_tool(name, dict(call.arguments))))
        except ToolError as error:
            return tool_result(name, self._cut(f"error: {error}"))
        except Exception as error:  # a tool may raise anything; none of it is the agent's doing
            raise Fault(f"tool {name!r}: {type(error).__name__}: {error}") from error

    def run_tool(self, name: str, arguments: dict[str, Any]) -> str:
        """Run a tool that exists. Override to reach state of the episode or to count calls."""
        return find_tool(self.tools, name)(**arguments)

    def _cut(self, text: str) -> str:
        if len(text) <= self.max_result:
            return text
        return f"{text[: self.max_result]}... ({len(text) - self.max_result} more characters)"
