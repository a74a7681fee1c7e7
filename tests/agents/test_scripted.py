"""ScriptedAgent: turns one after another, or by a function of the conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from assay.agents.base import Agent, Conversation
from assay.agents.scripted import ScriptedAgent
from assay.core.errors import ConfigError
from assay.core.message import Message, text_of, tool_result, user


def test_fixed_turns_in_every_conversation_and_an_error_when_they_run_out() -> None:
    agent = ScriptedAgent(["one", "two"])

    async def work() -> None:
        for _ in range(2):
            talk = agent.open()
            assert (await talk.act((user("q"),))).text == "one"
            assert (await talk.act(())).text == "two"
        with pytest.raises(ConfigError, match="2 turns, but the environment asks for one more"):
            await talk.act((user("again"),))

    asyncio.run(work())


def test_a_policy_sees_the_whole_conversation_with_its_own_turns() -> None:
    seen: list[list[tuple[str, str]]] = []

    def policy(messages: Sequence[Message]) -> str:
        seen.append([(message["role"], text_of(message)) for message in messages])
        return f"turn {len(messages)}"

    async def work() -> None:
        talk = ScriptedAgent(policy).open(seed=3)
        await talk.act((user("q"),))
        await talk.act((tool_result("t", "r"), user("s")))

    asyncio.run(work())
    assert seen == [
        [("user", "q")],
        [("user", "q"), ("assistant", "turn 1"), ("tool", "r"), ("user", "s")],
    ]


def test_it_is_an_agent() -> None:
    agent = ScriptedAgent(["x"])
    assert isinstance(agent, Agent)
    assert isinstance(agent.open(), Conversation)
