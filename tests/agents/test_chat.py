"""ChatAgent: one stream of tokens a conversation, sampled tokens untouched, forks where the template forgets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest

from assay.agents.base import Agent, Conversation
from assay.agents.chat import ChatAgent
from assay.agents.engines.base import Completion, SamplingParams
from assay.agents.engines.hf import HFEngine
from assay.core.message import Message, Observation, system, tool_result, user
from assay.core.tool import ToolCall, tool
from assay.core.trajectory import Step, Trajectory, Turn, streams
from assay.core.verdict import right
from tests.agents.engines.conformance import tiny_model, torch
from tests.agents.tokenizers import BARE, CHATML, FORGETFUL, UNCLOSED, make_tokenizer


class Script:
    """An engine that says what it is told, and remembers what it was asked."""

    weight_version = 4

    def __init__(self, tokenizer: Any, *answers: str, stop: str = "<|im_end|>") -> None:
        self.tokenizer, self.answers, self.stop = tokenizer, list(answers), stop
        self.asked: list[list[int]] = []
        self.sampling: list[SamplingParams] = []

    async def generate(self, token_ids: Sequence[int], sampling: SamplingParams) -> Completion:
        self.asked.append(list(token_ids))
        self.sampling.append(sampling)
        answer = self.answers.pop(0)
        cut = answer.endswith("...")
        text = answer.removesuffix("...") if cut else answer + self.stop
        ids = tuple(self.tokenizer.encode(text, add_special_tokens=False))
        return Completion(ids, (-1.0,) * len(ids), "length" if cut else "stop", self.weight_version)

    async def update_weights(self, source: Iterable[tuple[str, Any]] | None, version: int) -> None: ...

    async def sleep(self) -> None: ...

    async def wake(self) -> None: ...

    async def close(self) -> None: ...


@tool
def calculator(expression: str) -> str:
    """Evaluate."""
    return expression


def talk(agent: ChatAgent, *observations: Sequence[Message], tools: Sequence[Any] = (), seed: int = 0) -> list[Turn]:
    async def work() -> list[Turn]:
        conversation = agent.open(tools=tools, seed=seed)
        return [await conversation.act(tuple(observation)) for observation in observations]

    return asyncio.run(work())


def trajectory(turns: Sequence[Turn]) -> Trajectory:
    steps = tuple(Step(turn, 0.0) for turn in turns)
    return Trajectory("t", "g", "task", "env", 0, steps=steps, verdict=right())


def test_the_turns_concatenate_to_what_the_engine_saw() -> None:
    tokenizer = make_tokenizer(CHATML)
    engine = Script(tokenizer, "one", "two", "three")
    turns = talk(ChatAgent(engine, tokenizer), [user("a")], [user("b")], [tool_result("t", "c"), user("d")])
    (sample,) = streams(trajectory(turns))
    last = engine.asked[-1]
    assert sample.token_ids.tolist()[: len(last)] == last
    assert tokenizer.decode(sample.token_ids) == (
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\none<|im_end|>\n"
        "<|im_start|>user\nb<|im_end|>\n<|im_start|>assistant\ntwo<|im_end|>\n"
        "<|im_start|>tool\nc<|im_end|>\n<|im_start|>user\nd<|im_end|>\n<|im_start|>assistant\nthree<|im_end|>"
    )
    assert tokenizer.decode(sample.token_ids[sample.loss_mask]) == "one<|im_end|>two<|im_end|>three<|im_end|>"
    assert [turn.text for turn in turns] == ["one", "two", "three"]
    assert [turn.weight_version for turn in turns] == [4, 4, 4]


def test_sampled_tokens_that_no_text_encodes_to_are_kept() -> None:
    """`ab` is one token of this vocabulary and two letters are two; what was sampled stands, whichever it is."""
    from tokenizers import AddedToken

    tokenizer = make_tokenizer(CHATML)
    tokenizer.add_tokens([AddedToken("ab", normalized=False)])
    letters = [tokenizer.convert_tokens_to_ids("a"), tokenizer.convert_tokens_to_ids("b")]
    assert tokenizer.encode("ab", add_special_tokens=False) != letters
    engine = Script(tokenizer, "x", "y")

    async def sampled(token_ids: Sequence[int], sampling: SamplingParams) -> Completion:
        engine.asked.append(list(token_ids))
        closing = tokenizer.convert_tokens_to_ids("<|im_end|>")
        return Completion((*letters, closing), (-1.0,) * 3, "stop")

    engine.generate = sampled  # type: ignore[method-assign]
    turns = talk(ChatAgent(engine, tokenizer), [user("q")], [user("r")])
    assert turns[0].text == "ab"
    start = len(turns[0].prompt_ids)
    assert engine.asked[1][start : start + 2] == letters


def test_a_turn_cut_by_a_limit_is_closed_by_context_that_is_not_trained_on() -> None:
    tokenizer = make_tokenizer(CHATML)
    engine = Script(tokenizer, "on...", "two")
    turns = talk(ChatAgent(engine, tokenizer), [user("a")], [user("b")])
    assert turns[0].finish_reason == "length"
    assert tokenizer.decode(turns[1].prompt_ids).startswith("<|im_end|>\n<|im_start|>user\nb")
    (sample,) = streams(trajectory(turns))
    assert tokenizer.decode(sample.token_ids[sample.loss_mask]) == "ontwo<|im_end|>"


def test_another_stop_token_stays_and_the_turn_is_closed_after_it() -> None:
    tokenizer = make_tokenizer(CHATML)
    engine = Script(tokenizer, "one", "two", stop="<eos>")
    turns = talk(ChatAgent(engine, tokenizer), [user("a")], [user("b")])
    assert turns[0].text == "one"
    assert "one<eos><|im_end|>\n" in tokenizer.decode(engine.asked[1])


@pytest.mark.parametrize(("template", "forks"), [(CHATML, False), (FORGETFUL, True), (UNCLOSED, True)])
def test_where_the_template_rewrites_the_past_a_new_stream_begins(template: str, forks: bool) -> None:
    tokenizer = make_tokenizer(template)
    stop = "<eos>" if template == UNCLOSED else "<|im_end|>"
    engine = Script(tokenizer, "<think>\nhm\n</think>\n\none", "two", stop=stop)
    turns = talk(ChatAgent(engine, tokenizer), [user("a")], [user("b")])
    assert [turn.fork for turn in turns] == [False, forks]
    assert len(streams(trajectory(turns))) == 1 + forks
    seen = tokenizer.decode(engine.asked[1])
    assert ("hm" in seen) == (template != FORGETFUL)
    if forks:
        assert list(turns[1].prompt_ids) == engine.asked[1]


def test_plain_calls_reach_the_environment_in_canonical_form_and_the_model_in_its_own() -> None:
    tokenizer = make_tokenizer(BARE, "0123456789+*=?;#")
    engine = Script(tokenizer, "?7*4;", "#28", stop="<eos>")
    agent = ChatAgent(engine, tokenizer, tool_format="plain")
    turns = talk(agent, [user("7*4=")], [tool_result("calculator", "28")], tools=[calculator])
    assert turns[0].text == ToolCall("calculator", {"expression": "7*4"}).render()
    assert tokenizer.decode(engine.asked[1]) == "7*4=?7*4;<eos>28"
    assert agent.encode_turn(turns[0].text, [calculator]) == list(turns[0].output_ids)
    assert agent.encode_turn("#28", [calculator]) == list(turns[1].output_ids)


def test_our_system_message_and_the_environment_s_become_one() -> None:
    tokenizer = make_tokenizer(CHATML)
    engine = Script(tokenizer, "x", "y", "z")
    talk(ChatAgent(engine, tokenizer, system="ours"), [system("theirs"), user("q")])
    talk(ChatAgent(engine, tokenizer, system="ours"), [user("q")])
    talk(ChatAgent(engine, tokenizer), [system("theirs"), user("q")])
    heads = [tokenizer.decode(ids).split("<|im_start|>user")[0] for ids in engine.asked]
    wanted = ["ours\n\ntheirs", "ours", "theirs"]
    assert heads == [f"<|im_start|>system\n{text}<|im_end|>\n" for text in wanted]


def test_tools_are_told_by_the_template_or_by_a_system_message() -> None:
    for template in (CHATML, CHATML.replace("{% if tools %}", "{% if false %}")):
        tokenizer = make_tokenizer(template)
        engine = Script(tokenizer, "x", "y")
        talk(ChatAgent(engine, tokenizer), [user("q")], tools=[calculator])
        talk(ChatAgent(engine, tokenizer), [user("q")])
        assert ["calculator" in tokenizer.decode(ids) for ids in engine.asked] == [True, False]


def test_budgets_seeds_and_stop_tokens_reach_the_engine() -> None:
    tokenizer = make_tokenizer(CHATML)
    engine = Script(tokenizer, *"abcdef")
    agent = ChatAgent(engine, tokenizer, sampling=SamplingParams(max_tokens=9, temperature=0.5, stop_token_ids=(77,)))

    async def work() -> None:
        for seed in (1, 1, 2):
            conversation = agent.open(seed=seed)
            await conversation.act((user("q"),), max_tokens=5)
            await conversation.act((user("r"),), max_tokens=50)

    asyncio.run(work())
    assert [s.max_tokens for s in engine.sampling] == [5, 9] * 3
    seeds = [s.seed for s in engine.sampling]
    assert seeds[:2] == seeds[2:4]
    assert len(set(seeds)) == 4
    expected = {77, tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|im_end|>")}
    assert {frozenset(s.stop_token_ids) for s in engine.sampling} == {frozenset(expected)}
    assert {s.temperature for s in engine.sampling} == {0.5}


def test_it_is_an_agent() -> None:
    tokenizer = make_tokenizer()
    agent = ChatAgent(Script(tokenizer), tokenizer)
    assert isinstance(agent, Agent)
    assert isinstance(agent.open(), Conversation)


@pytest.mark.parametrize("update", [False, True])
def test_log_probabilities_of_whole_episodes_are_those_of_one_forward_pass(update: bool) -> None:
    """Multi-turn, temperature 0.7, dozens of conversations at once, and new weights after every turn."""
    tokenizer = make_tokenizer(CHATML)
    models = [tiny_model(seed, vocab_size=len(tokenizer), max_position_embeddings=512) for seed in range(3)]
    served = tiny_model(0, vocab_size=len(tokenizer), max_position_embeddings=512)
    engine = HFEngine(served)
    agent = ChatAgent(engine, tokenizer, sampling=SamplingParams(max_tokens=12, temperature=0.7))

    async def work() -> list[list[Turn]]:
        talks = [agent.open(seed=i) for i in range(24)]
        turns: list[list[Turn]] = [[] for _ in talks]
        for number, model in enumerate(models):
            if update:
                await engine.update_weights(model.state_dict().items(), number)
            observation: Observation = (user(f"question {number}"),)
            done = await asyncio.gather(*(conversation.act(observation) for conversation in talks))
            for mine, turn in zip(turns, done, strict=True):
                mine.append(turn)
        return turns

    for turns in asyncio.run(asyncio.wait_for(work(), 60)):
        (sample,) = streams(trajectory(turns))
        for number in range(3):
            with torch.no_grad():
                logits = models[number if update else 0](torch.tensor(sample.token_ids)[None]).logits[0]
            logprobs = (logits / 0.7).log_softmax(-1)
            mine = np.flatnonzero(sample.turn_index == number)
            expected = logprobs[mine - 1, sample.token_ids[mine]].numpy()
            np.testing.assert_allclose(sample.logprobs[mine], expected, atol=1e-4)
            assert turns[number].weight_version == (number if update else 0)
