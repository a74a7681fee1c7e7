"""`ApiAgent`: an agent behind an OpenAI-compatible endpoint. Messages only; its turns carry no tokens.

Tool calls reach the environment in canonical form. With `native_tools` the endpoint is given the tools and parses the
calls, which are translated; without, the model is told of them in a system message and writes the canonical form.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from assay.agents.engines.api import ApiCall, ApiModel, ApiReply
from assay.agents.engines.base import SamplingParams
from assay.agents.template import instructed
from assay.agents.tool_formats import describe_tools
from assay.core.message import Message, Observation, text_of
from assay.core.seeding import derive_seed
from assay.core.tool import Tool
from assay.core.trajectory import Turn


class ApiAgent:
    """An `Agent` for evaluation. Shared by all episodes."""

    def __init__(
        self,
        model: ApiModel,
        *,
        sampling: SamplingParams | None = None,
        system: str | None = None,
        native_tools: bool = True,
    ) -> None:
        """Seeds are sent with every request; endpoints that honour them make runs repeatable.

        Args:
            model: the endpoint.
            sampling: of it `max_tokens`, `temperature` and `top_p` are sent.
            system: a system message before the environment's own.
            native_tools: whether the endpoint handles tools.
        """
        self.model, self.sampling = model, sampling or SamplingParams()
        self.system, self.native_tools = system, native_tools

    def open(self, *, tools: Sequence[Tool] = (), seed: int = 0) -> ApiConversation:
        """Start a conversation."""
        return ApiConversation(self, tools, seed)


class ApiConversation:
    """One episode of an `ApiAgent`."""

    def __init__(self, agent: ApiAgent, tools: Sequence[Tool], seed: int) -> None:
        self._agent, self._tools, self._seed = agent, tuple(tools), seed
        self._messages: list[dict[str, Any]] = []
        self._open_calls: list[ApiCall] = []
        self._turns = 0

    async def act(self, observation: Observation, *, max_tokens: int | None = None) -> Turn:
        """Send the conversation with the new messages, and return the answer."""
        started = time.perf_counter()
        self._read(observation)
        sampling = self._agent.sampling
        seed = derive_seed("turn", self._seed, self._turns) % 2**31  # some endpoints read 32 bits
        reply = await self._agent.model.chat(
            self._messages,
            temperature=sampling.temperature,
            max_tokens=sampling.max_tokens if max_tokens is None else min(max_tokens, sampling.max_tokens),
            seed=seed,
            tools=self._tools if self._agent.native_tools else (),
            top_p=sampling.top_p if sampling.top_p < 1.0 else None,
        )
        self._turns += 1
        self._messages.append(_as_sent(reply))
        self._open_calls = list(reply.calls)
        return Turn(
            text=canonical(reply),
            finish_reason="length" if reply.finish_reason == "length" else "stop",
            seconds=time.perf_counter() - started,
            reported_tokens=reply.completion_tokens,
        )

    def _read(self, observation: Observation) -> None:
        messages: Sequence[Message] = observation
        if not self._messages:
            told = self._tools and not self._agent.native_tools
            tools = describe_tools([tool.schema() for tool in self._tools]) if told else None
            messages = instructed(observation, self._agent.system, tools)
        for message in messages:
            if message["role"] != "tool":
                self._close_calls()
            self._messages.append(self._as_request(message))
        self._close_calls()

    def _as_request(self, message: Message) -> dict[str, Any]:
        """Give a tool's result the id of its call. A result that belongs to no call can only come from the user."""
        if message["role"] != "tool":
            return dict(message)
        if not self._open_calls:
            return {"role": "user", "content": text_of(message)}
        return _result(self._open_calls.pop(0), text_of(message))

    def _close_calls(self) -> None:
        """Answer the calls that the environment left without a result: endpoints insist on one for each."""
        self._messages += [_result(call, "not run") for call in self._open_calls]
        self._open_calls.clear()


def _result(call: ApiCall, text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call.id, "content": text}


def canonical(reply: ApiReply) -> str:
    """Return the turn as environments read it. Arguments that are no JSON stay as they are, for the agent to mend."""
    calls = [
        f'<tool_call>{{"name": {json.dumps(call.name)}, "arguments": {call.arguments}}}</tool_call>'
        for call in reply.calls
    ]
    return "\n".join(part for part in (reply.text, *calls) if part)


def _as_sent(reply: ApiReply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in reply.calls
        ]
    return message
