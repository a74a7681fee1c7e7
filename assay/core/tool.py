"""Tools: typed Python functions that an agent may call, and the canonical text of a call.

The canonical form is what every environment reads, whatever a model's own dialect is; agents translate:

    <tool_call>{"name": "calculator", "arguments": {"expression": "7*4"}}</tool_call>
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, create_model

from assay.core.errors import ToolError

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_DEEPEST = 50
"""Levels of lists and objects in a call. What comes after it (comparing, other servers' JSON) is less patient."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call. `error` says why the text between the tags could not be read; then `name` is empty."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    def render(self) -> str:
        """Return the canonical text of the call."""
        body = json.dumps({"name": self.name, "arguments": dict(self.arguments)}, ensure_ascii=False)
        return f"<tool_call>{body}</tool_call>"


def parse_tool_calls(text: str) -> list[ToolCall]:
    """Return the calls in canonical form, in order. A malformed call is kept, with its `error` set."""
    return [_parse_one(text[start:end]) for start, end in _spans(text)]


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each call begins and ends, in linear time: agents write any text, open tags by the thousand too."""
    end = 0
    while (start := text.find(_OPEN, end)) >= 0 and (close := text.find(_CLOSE, start)) >= 0:
        end = close + len(_CLOSE)
        yield start, end


def _parse_one(written: str) -> ToolCall:
    try:
        call = json.loads(written.removeprefix(_OPEN).removesuffix(_CLOSE).strip())
        json.dumps(call, ensure_ascii=False).encode()  # half of a surrogate pair is no text that tools could take
    except UnicodeEncodeError:
        return ToolCall("", {}, "the call has an escape that is no character")
    except (ValueError, RecursionError) as error:
        return ToolCall("", {}, f"the call is not JSON: {error}")
    if _deeper(call, _DEEPEST):
        return ToolCall("", {}, f"the call is nested more than {_DEEPEST} levels deep")
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        return ToolCall("", {}, 'a call is a JSON object with "name" and "arguments"')
    arguments = call.get("arguments", {})
    if not isinstance(arguments, dict):
        return ToolCall("", {}, '"arguments" must be a JSON object')
    return ToolCall(call["name"], arguments)


def _deeper(value: Any, levels: int) -> bool:
    """Whether a JSON value has more levels of lists and objects."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(each, levels - 1) for each in inner)


def strip_tool_calls(text: str) -> str:
    """Return the text around the calls."""
    return rewrite_calls(text, lambda written: "")


def rewrite_calls(text: str, write: Callable[[str], str]) -> str:
    """Return the text with every call, its tags included, replaced by what `write` makes of it."""
    pieces, done = [], 0
    for start, end in _spans(text):
        pieces += [text[done:start], write(text[start:end])]
        done = end
    return "".join([*pieces, text[done:]])


def map_tool_calls(text: str, change: Callable[[ToolCall], ToolCall]) -> str:
    """Return the text with every call that can be read changed; the others stay as they are."""

    def rewrite(written: str) -> str:
        call = _parse_one(written)
        return written if call.error else change(call).render()

    return rewrite_calls(text, rewrite)


class Tool:
    """A function with a name, a description and a JSON schema, all taken from its signature and docstring.

    Arguments are validated (and coerced where pydantic's lax mode allows) before the call. Anything the agent
    got wrong raises `ToolError` with a line that it can act on; every other exception of the function is a fault.
    """

    def __init__(
        self, function: Callable[..., Any], *, name: str | None = None, description: str | None = None
    ) -> None:
        self.function = function
        self.name = name or function.__name__
        doc = inspect.getdoc(function) or ""
        self.description = description or doc.split("\n\n")[0].replace("\n", " ")
        hints = inspect.get_annotations(function, eval_str=True)
        fields: dict[str, Any] = {}
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise TypeError(f"tool {self.name!r}: *args and **kwargs have no schema")
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[parameter.name] = (hints.get(parameter.name, str), default)
        self._model = create_model(self.name, __config__=ConfigDict(extra="forbid"), **fields)
        self.parameters: dict[str, Any] = _tidy_schema(self._model.model_json_schema(), _parameter_docs(doc))

    def schema(self) -> dict[str, Any]:
        """Return the function schema in the form that chat templates and OpenAI-compatible APIs take."""
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": self.parameters},
        }

    def validate(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments checked and converted; `ToolError` names the first one that is wrong."""
        try:
            checked = self._model.model_validate(dict(arguments))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ToolError(f"{self.name}: argument {where!r}: {first['msg']}") from None
        return {name: getattr(checked, name) for name in type(checked).model_fields}

    def __call__(self, /, **arguments: Any) -> str:
        """Validate, call, and return the result as text (strings as they are, everything else as JSON)."""
        result = self.function(**self.validate(arguments))
        if isinstance(result, str):
            return result
        return TypeAdapter(Any).dump_json(result).decode()


def tool(function: Callable[..., Any]) -> Tool:
    """Decorator: make a `Tool` of a typed function with a docstring."""
    return Tool(function)


def find_tool(tools: Iterable[Tool], name: str) -> Tool:
    """Return the tool with this name, or raise a `ToolError` that lists the names there are."""
    names = []
    for candidate in tools:
        if candidate.name == name:
            return candidate
        names.append(candidate.name)
    raise ToolError(f"there is no tool {name!r}; the tools are: {', '.join(names) or 'none'}")


def _parameter_docs(doc: str) -> dict[str, str]:
    """Read the `Args:` section of a Google-style docstring; lines indented further belong to the one before."""
    _, _, section = doc.partition("Args:\n")
    found: dict[str, str] = {}
    name, indent = "", len(section) - len(section.lstrip(" "))
    for line in section.splitlines():
        match = re.match(r" +(\w+)(?:\s*\([^)]*\))?:\s*(.+)", line)
        depth = len(line) - len(line.lstrip(" "))
        if not line.strip() or depth < indent:
            break
        if match and depth == indent:
            name = match.group(1)
            found[name] = match.group(2).strip()
        elif name:
            found[name] += f" {line.strip()}"
    return found


def _tidy_schema(schema: dict[str, Any], docs: Mapping[str, str]) -> dict[str, Any]:
    schema.pop("title", None)
    for name, entry in schema.get("properties", {}).items():
        entry.pop("title", None)
        if name in docs:
            entry["description"] = docs[name]
    schema.setdefault("properties", {})
    return schema
