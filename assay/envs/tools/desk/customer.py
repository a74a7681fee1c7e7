"""The customer: what is said first, and what is answered to the agent's messages.

Scripted and deterministic: a reply depends on what was asked, and each fact is told once. A customer who has nothing
(more) to say hangs up, which ends the conversation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from assay.core.task import Task

_ASKED = {
    "email": re.compile(r"\b(?:e-?mail|address|who|identi\w+|account|name)\b", re.IGNORECASE),
    "wishes": re.compile(
        r"\b(?:help|do for you|details?|orders?|loans?|books?|tickets?|flights?|trips?|hotels?|requests?|wish)\b",
        re.IGNORECASE,
    ),
}


class Customer(Protocol):
    """Whoever talks to the agent: the script below, or a model."""

    def start(self, task: Task) -> None:
        """Begin a conversation; `task.metadata["facts"]` is what there is to tell when asked."""
        ...

    def reply(self, message: str) -> str | None:
        """Answer a message of the agent; None hangs up."""
        ...


class ScriptedCustomer:
    """Tells a fact when a question touches it."""

    def __init__(self) -> None:
        self._facts: dict[str, str] = {}

    def start(self, task: Task) -> None:
        """Take the facts of the task."""
        facts: Mapping[str, Any] = task.metadata["facts"]
        self._facts = {topic: str(fact) for topic, fact in facts.items()}

    def reply(self, message: str) -> str | None:
        """Tell what was asked for and not yet told."""
        asked = [topic for topic in self._facts if _ASKED[topic].search(message)]
        return " ".join(self._facts.pop(topic) for topic in asked) or None
