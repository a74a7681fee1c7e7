"""All tools behind one: `cancel_order 17` instead of a JSON object, for models too small to write JSON.

With a single text argument even the character-level dialect `plain` can call every tool (`?cancel_order 17;`).
Words are typed by the schema that they are for: `16` is a number where a number is wanted, and a text elsewhere.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from assay.core.errors import ConfigError, ToolError
from assay.core.tool import Tool, ToolCall, find_tool

NAME = "run"
Interface = Literal["tools", "console"]
"""Whether an agent has all tools, or this one for them."""
_QUOTED = re.compile(r"[\s'\"\\]|\A\Z")
_NUMBER = re.compile(r"-?[0-9]{1,18}")
_TRUTH = {"true": True, "false": False}


def check_interface(interface: str) -> None:
    """Raise `ConfigError` for what is no `Interface`."""
    if interface not in get_args(Interface):
        raise ConfigError(f"interface must be 'tools' or 'console', not {interface!r}")


def console(tools: Sequence[Tool]) -> Tool:
    """Return a tool that runs a command: a tool's name and its arguments in order, quoted where they have spaces."""

    def run(command: str) -> str:
        name, *values = _words(command)
        tool = find_tool(tools, name)
        return tool(**_bind(name, tool.parameters["properties"], values))

    usage = "; ".join(" ".join([tool.name, *tool.parameters["properties"]]) for tool in tools)
    return Tool(run, name=NAME, description=f"Run a command. Commands and their arguments: {usage}")


def as_command(call: ToolCall) -> ToolCall:
    """Return the same call as a command."""
    values = (value if isinstance(value, str) else json.dumps(value) for value in call.arguments.values())
    words = [shlex.quote(word) if _QUOTED.search(word) else word for word in (call.name, *values)]
    return ToolCall(NAME, {"command": " ".join(words)})


def as_call(command: ToolCall, functions: Sequence[Mapping[str, Any]]) -> ToolCall:
    """Return the call of one of these functions (name and JSON schema of the parameters) that a command means.

    Raises `ToolError` for what is no command, or one that fits none of the functions.
    """
    text = command.arguments.get("command")
    if command.name != NAME or len(command.arguments) != 1 or not isinstance(text, str):
        raise ToolError(f"there is one tool: {NAME}(command)")
    name, *words = _words(text)
    schemas = next((f["parameters"]["properties"] for f in functions if f["name"] == name), None)
    if schemas is None:
        raise ToolError(f"no function {name}")
    return ToolCall(name, {key: _typed(word, schemas[key]) for key, word in _bind(name, schemas, words).items()})


def _bind(name: str, parameters: Mapping[str, Any], words: Sequence[str]) -> dict[str, str]:
    """Return the words by the parameters that they stand for; the last ones may be left out."""
    if len(words) > len(parameters):
        raise ToolError(f"{name} takes {len(parameters)} argument(s), not {len(words)}")
    return dict(zip(parameters, words, strict=False))


def _typed(word: str, schema: Mapping[str, Any]) -> Any:
    if schema.get("type") == "integer" and _NUMBER.fullmatch(word):
        return int(word)
    return _TRUTH.get(word, word) if schema.get("type") == "boolean" else word


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ToolError(f"the command cannot be read: {error}") from None
    if not words:
        raise ToolError("the command is empty")
    return words
