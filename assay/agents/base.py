"""Who acts. An `Agent` is shared and stateless; it opens one `Conversation` for each episode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from assay.core.message import Observation
from assay.core.tool import Tool
from assay.core.trajectory import Turn


@runtime_checkable
class Conversation(Protocol):
    """One episode's side of the agent: owns the history and the token stream."""

    async def act(self, observation: Observation, *, max_tokens: int | None = None) -> Turn:
        """Read the new messages and answer with one turn. `max_tokens` is what the episode's budget leaves."""
        ...


@runtime_checkable
class Agent(Protocol):
    """Something that can take part in episodes."""

    def open(self, *, tools: Sequence[Tool] = (), seed: int = 0) -> Conversation:
        """Start a conversation. The seed decides all of its sampling."""
        ...
