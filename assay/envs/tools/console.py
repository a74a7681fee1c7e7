"""All tools behind one: `cancel_order 17` instead of a JSON object, for models too small to write JSON.

With a single text argument even the character-level dialect `plain` can call every tool (`?cancel_order 17;`).
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from assay.core.errors import ToolError
from assay.core.tool import Tool, ToolCall, find_tool

NAME = "run"


def console(tools: Sequence[Tool]) -> Tool:
    """Return a tool that runs a command: a tool's name and its arguments in order, quoted where they have spaces."""

    def run(command: str) -> str:
        name, *values = _words(command)
        tool = find_tool(tools, name)
        names = list(tool.parameters["properties"])
        if len(values) > len(names):
            raise ToolError(f"{name} takes {len(names)} argument(s), not {len(values)}")
        return tool(**dict(zip(names, values, strict=False)))

    usage = "; ".join(" ".join([tool.name, *tool.parameters["properties"]]) for tool in tools)
    return Tool(run, name=NAME, description=f"Run a command. Commands and their arguments: {usage}")


def as_command(call: ToolCall) -> ToolCall:
    """Return the same call as a command."""
    words = [call.name, *(str(value) for value in call.arguments.values())]
    return ToolCall(NAME, {"command": " ".join(f"'{word}'" if " " in word else word for word in words)})


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ToolError(f"the command cannot be read: {error}") from None
    if not words:
        raise ToolError("the command is empty")
    return words
