"""Dialects in which models write tool calls, to and from the canonical form that environments read.

Canonical: `<tool_call>{"name": "calculator", "arguments": {"expression": "7*4"}}</tool_call>`.

Invariants: translating is lossless. What the model wrote comes back exactly from its canonical form, and a canonical
call from the dialect's. Text that is no call in the dialect stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from assay.core.errors import ConfigError, UnknownNameError
from assay.core.tool import Tool, ToolCall, parse_tool_calls, rewrite_calls


class ToolFormat(Protocol):
    """A dialect. Stateless."""

    native: bool
    """Whether the chat template is given the tools' schemas, to tell the model of them."""

    def to_canonical(self, text: str, tools: Sequence[Tool]) -> str:
        """Translate what a model wrote."""
        ...

    def from_canonical(self, text: str, tools: Sequence[Tool]) -> str:
        """Translate a canonical turn (a demonstration, say) to what the model should write."""
        ...


class HermesFormat:
    """The canonical form itself, which Hermes and Qwen models write."""

    native = True

    def to_canonical(self, text: str, tools: Sequence[Tool]) -> str:
        """Return the text."""
        return text

    def from_canonical(self, text: str, tools: Sequence[Tool]) -> str:
        """Return the text."""
        return text


class PlainFormat:
    """`?7*4;` calls the one tool that there is with its one string argument: for tiny character-level models.

    A turn that is no call, or a call that was cut off before its `;`, stays text.
    """

    native = False
    _CALL = re.compile(r"\?([^?;]*);")

    def to_canonical(self, text: str, tools: Sequence[Tool]) -> str:
        """Make canonical calls of `?argument;`."""
        if not tools:
            return text
        name, parameter = _only_argument(tools)
        return self._CALL.sub(lambda match: ToolCall(name, {parameter: match[1]}).render(), text)

    def from_canonical(self, text: str, tools: Sequence[Tool]) -> str:
        """Make `?argument;` of canonical calls. `ConfigError` for a call that cannot be written so."""
        if not tools:
            return text
        name, parameter = _only_argument(tools)

        def write(written: str) -> str:
            (call,) = parse_tool_calls(written)
            value = call.arguments.get(parameter)
            if call.name != name or set(call.arguments) != {parameter} or not isinstance(value, str):
                raise ConfigError(f"tool format 'plain' cannot write {written}; it knows {name}({parameter}: str) only")
            if "?" in value or ";" in value:
                raise ConfigError(f"tool format 'plain' cannot write ? or ; inside an argument: {value!r}")
            return f"?{value};"

        return rewrite_calls(text, write)


def describe_tools(schemas: Sequence[Mapping[str, Any]]) -> str:
    """Return instructions for models that are told of their tools, and how to call them, in a system message."""
    lines = "\n".join(json.dumps(schema["function"], ensure_ascii=False) for schema in schemas)
    return (
        f"You can call tools. Their JSON schemas, one a line:\n{lines}\n\n"
        "To call one, write its name and arguments as JSON between tags, and end your turn:\n"
        '<tool_call>{"name": "...", "arguments": {...}}</tool_call>\n'
        "The next message brings the result. A turn without a call is your final answer."
    )


def _only_argument(tools: Sequence[Tool]) -> tuple[str, str]:
    """Return the names of the only tool and of its only parameter."""
    if len(tools) == 1:
        properties = tools[0].parameters["properties"]
        if len(properties) == 1:
            ((parameter, schema),) = properties.items()
            if schema.get("type") == "string":
                return tools[0].name, parameter
    raise ConfigError("tool format 'plain' is for environments with one tool that takes one string; use 'hermes'")


TOOL_FORMATS: dict[str, type[ToolFormat]] = {"hermes": HermesFormat, "plain": PlainFormat}


def make_tool_format(name: str) -> ToolFormat:
    """Return a dialect by name."""
    if name not in TOOL_FORMATS:
        raise UnknownNameError("tool format", name, TOOL_FORMATS)
    return TOOL_FORMATS[name]()
