"""`ScriptedAgent`: an agent without a model. For oracles, demonstrations, benchmarks and tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assay.core.errors import ConfigError
from assay.core.message import Message, Observation, assistant
from assay.core.tool import Tool
from assay.core.trajectory import Turn

Policy = Callable[[Sequence[Message]], str]
"""Maps the conversation so far, its own turns included, to the next turn in canonical form."""


class ScriptedAgent:
    """An `Agent` that acts by a function of the conversation, or says fixed turns one after another.

    >>> agent = ScriptedAgent(["first turn", "second turn"])
    >>> agent = ScriptedAgent(lambda messages: messages[-1]["content"][::-1])
    """

    def __init__(self, policy: Policy | Sequence[str]) -> None:
        self._policy = policy if callable(policy) else _reader(tuple(policy))

    def open(self, *, tools: Sequence[Tool] = (), seed: int = 0) -> ScriptedConversation:
        """Start a conversation; tools and seed do not matter."""
        return ScriptedConversation(self._policy)


class ScriptedConversation:
    """One episode of a `ScriptedAgent`."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._messages: list[Message] = []

    async def act(self, observation: Observation, *, max_tokens: int | None = None) -> Turn:
        """Say the next turn."""
        self._messages += observation
        text = self._policy(self._messages)
        self._messages.append(assistant(text))
        return Turn(text)


def _reader(turns: Sequence[str]) -> Policy:
    def read(messages: Sequence[Message]) -> str:
        spoken = sum(message["role"] == "assistant" for message in messages)
        if spoken >= len(turns):
            raise ConfigError(f"the script has {len(turns)} turns, but the environment asks for one more")
        return turns[spoken]

    return read
