from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from itertools import chain

import numpy as np
import pytest
import torch

from assay.agents.chat import ChatAgent
from assay.agents.engines.base import SamplingParams
from assay.agents.engines.hf import HFEngine
from assay.core.errors import ConfigError, UnknownNameError
from assay.core.trajectory import Sample
from assay.rollouts.groups import group_requests
from assay.rollouts.runner import run_episodes
from assay.trainers import episodes, warmstart
from assay.trainers.config import EnvConfig, ModelConfig, WarmstartConfig
from assay.trainers.demonstrations import Demonstration, Demonstrations
from assay.trainers.losses import make_loss
from assay.trainers.policy import Policy, load_policy
from assay.trainers.samples import assign_weights
from assay.trainers.update import Updater

VOCABULARY = "0123456789+-*=;#?"
STYLES = {"careful": 0.5, "hasty": 0.25, "guess": 0.25}
ARITHMETIC = EnvConfig(id="assay/Arithmetic-v0")
CALCULATOR = EnvConfig(id="assay/Calculator-v0")


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(ModelConfig(vocabulary=VOCABULARY, hidden=32, layers=1, feed_forward=32))


def source(policy: Policy, env: EnvConfig, styles: Mapping[str, float], seed: int = 0) -> Demonstrations:
    make_env = episodes.env_maker(env, "train")
    agent = ChatAgent(HFEngine(policy.model), policy.tokenizer, tool_format="plain")
    return Demonstrations(make_env, episodes.tasks_of(make_env, env.id), styles, agent, seed=seed)


def play(policy: Policy, env: EnvConfig, count: int, styles: Mapping[str, float], seed: int = 0) -> list[Demonstration]:
    return asyncio.run(source(policy, env, styles, seed).play(range(count)))


def text(policy: Policy, ids: np.ndarray) -> str:
    return str(policy.tokenizer.decode(ids.tolist()))


def test_single_turn_demonstrations_are_prompt_working_answer(policy: Policy) -> None:
    shown = play(policy, ARITHMETIC, 40, STYLES)
    assert len(shown) == 40
    for demonstration in shown:
        (sample,) = demonstration.samples
        prompt, answer = (
            text(policy, sample.token_ids[~sample.loss_mask]),
            text(policy, sample.token_ids[sample.loss_mask]),
        )
        assert prompt.endswith("=")
        assert answer.endswith("<eos>")
        assert "#" in answer
    outcomes = Counter(demonstration.correct for demonstration in shown)
    assert outcomes[True] > 15
    assert outcomes[False] > 5  # nothing is filtered


def test_tool_demonstrations_really_play_and_mask_what_the_tool_says(policy: Policy) -> None:
    shown = play(policy, CALCULATOR, 10, {"careful": 1.0})
    assert all(demonstration.correct for demonstration in shown)
    for demonstration in shown:
        (sample,) = demonstration.samples
        runs = np.flatnonzero(np.diff(sample.loss_mask.astype(int)))
        parts = [text(policy, part) for part in np.split(sample.token_ids, runs + 1)]
        question, *turns = parts
        assert question.endswith("=")
        assert all(turn.startswith("?") and turn.endswith(";<eos>") for turn in turns[:-1:2])
        last = turns[-1]
        assert last == f"#{turns[-2]}<eos>"  # the tool's last answer is the result


def test_demonstrations_have_the_tokens_that_episodes_have(policy: Policy) -> None:
    """The opening and the tool's answers are the same tokens, whether the model or the script speaks."""
    make_env = episodes.env_maker(ARITHMETIC, "train")
    tasks = episodes.tasks_of(make_env, ARITHMETIC.id)
    agent = ChatAgent(HFEngine(policy.model), policy.tokenizer, sampling=SamplingParams(max_tokens=4))
    (played,) = run_episodes(make_env, agent, group_requests([tasks[3]], 1, seed=0))
    assert played.steps[0].turn.prompt_ids == tuple(policy.tokenizer.encode(tasks[3].prompt))
    assert agent.encode_turn("#3") == [*policy.tokenizer.encode("#3"), policy.tokenizer.eos_token_id]


def test_styles_come_by_weight_and_the_seed_decides(policy: Policy) -> None:
    styles = {"careful": 0.9, "guess": 0.1}
    shown, again, other = (play(policy, ARITHMETIC, 300, styles, seed) for seed in (0, 0, 1))

    def tokens(demonstrations: list[Demonstration]) -> list[list[int]]:
        return [d.samples[0].token_ids.tolist() for d in demonstrations]

    assert tokens(shown) == tokens(again)
    assert tokens(shown) != tokens(other)
    right = np.mean([d.correct for d in shown])
    assert 0.85 < right < 0.97  # 0.9 and the guesses that happen to be right


def test_a_style_or_an_environment_without_demonstrations_is_refused(policy: Policy) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'careful'"):
        source(policy, ARITHMETIC, {"carefull": 1.0})


def test_an_environment_without_demonstrations_says_how_to_go_on(policy: Policy) -> None:
    from assay.core.task import Task, TaskList
    from assay.envs.base import SingleTurnEnv
    from assay.verifiers import make_verifier

    def make_env() -> SingleTurnEnv:
        class Mute(SingleTurnEnv):
            pass

        return Mute(TaskList([Task(id="1", prompt="1", target="1")]), make_verifier("exact"))

    agent = ChatAgent(HFEngine(policy.model), policy.tokenizer)
    with pytest.raises(ConfigError, match=r"warmstart\.steps=0"):
        asyncio.run(Demonstrations(make_env, make_env().tasks, {}, agent, seed=0).play([0]))


def batches(policy: Policy, limit: int | None, size: int, steps: int) -> list[list[Sample]]:
    config = WarmstartConfig(demonstrations=limit, batch=size)
    made = warmstart.Batches(source(policy, ARITHMETIC, {"careful": 1.0}), config, seed=0)

    async def draw() -> list[list[Sample]]:
        return [await made.batch(step) for step in range(steps)]

    return asyncio.run(draw())


def test_a_limited_number_of_demonstrations_comes_in_epochs(policy: Policy) -> None:
    names = [[sample.trajectory_id for sample in batch] for batch in batches(policy, 12, 4, 6)]
    first, second = list(chain(*names[:3])), list(chain(*names[3:]))
    assert len(set(first)) == len(set(second)) == 12
    assert first != second


def test_without_a_limit_every_batch_is_new_and_its_weights_sum_to_one(policy: Policy) -> None:
    made = batches(policy, None, 8, 3)
    assert len({sample.trajectory_id for batch in made for sample in batch}) == 24
    for batch in made:
        assert sum(float(sample.weights.sum()) for sample in batch) == pytest.approx(1.0)


def test_rate_ramps_and_decays() -> None:
    rates = [warmstart.rate(step, 200) for step in range(201)]
    assert rates[0] == pytest.approx(1 / warmstart.RAMP)
    assert max(rates) > 0.95
    assert rates[-1] == pytest.approx(0.0)


def test_imitation_learns_the_demonstrations(policy: Policy) -> None:
    torch.set_num_threads(1)
    shown = play(policy, EnvConfig(id="assay/Arithmetic-v0", options={"terms": 2}), 16, {"careful": 1.0})
    samples = assign_weights([sample for demonstration in shown for sample in demonstration.samples])
    model = load_policy(ModelConfig(vocabulary=VOCABULARY, hidden=32, layers=2, feed_forward=64)).model
    updater = Updater(model, torch.optim.AdamW(model.parameters(), lr=1e-2), make_loss("nll"))
    losses = [updater.step(samples)["loss"] for _ in range(60)]
    assert losses[-1] < 0.2 * losses[0]
