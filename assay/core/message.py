"""Messages: what environments say to agents and agents say back.

A message is a plain dict, as the chat APIs and chat templates of the field have it, so that nothing is converted
on the way to a tokenizer or an endpoint. `role` is `system`, `user`, `assistant` or `tool`; `content` is a string
or a list of parts (`{"type": "text", "text": ...}` or `{"type": "image", "image": <path or data URL>}`).
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

Role = Literal["system", "user", "assistant", "tool"]
ROLES: frozenset[str] = frozenset({"system", "user", "assistant", "tool"})


class Part(TypedDict, total=False):
    """One part of a message that is more than text."""

    type: str
    text: str
    image: str


class Message(TypedDict):
    """One message. `name` is the tool that a `tool` message answers for."""

    role: Role
    content: str | list[Part]
    name: NotRequired[str]


Observation = tuple[Message, ...]
"""What `reset` and `step` return: the *new* messages only, never the history."""


def system(content: str) -> Message:
    """Return a system message."""
    return {"role": "system", "content": content}


def user(content: str) -> Message:
    """Return a user message."""
    return {"role": "user", "content": content}


def assistant(content: str) -> Message:
    """Return an assistant message."""
    return {"role": "assistant", "content": content}


def tool_result(name: str, content: str) -> Message:
    """Return what the tool `name` answered."""
    return {"role": "tool", "content": content, "name": name}


def text_of(message: Message) -> str:
    """Return the text of a message, image parts left out."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def is_message(value: Any) -> bool:
    """Whether `value` has the shape of a message."""
    if not isinstance(value, dict) or value.get("role") not in ROLES:
        return False
    content = value.get("content")
    if isinstance(content, list):
        return all(isinstance(part, dict) and isinstance(part.get("type"), str) for part in content)
    return isinstance(content, str)
