from __future__ import annotations

import asyncio
from collections import Counter
from itertools import chain

import numpy as np
import pytest
import torch

from assay.agents.chat import ChatAgent
from assay.agents.engines.base import SamplingParams
from assay.agents.engines.hf import HFEngine
from assay.core.errors import ConfigError, UnknownNameError
from assay.rollouts.groups import group_requests
from assay.rollouts.runner import run_episodes
from assay.trainers import episodes, warmstart
from assay.trainers.config import EnvConfig, ModelConfig, WarmstartConfig
from assay.trainers.demonstrations import Demonstration, demonstrate
from assay.trainers.losses import make_loss
from assay.trainers.policy import Policy, load_policy
from assay.trainers.update import Updater

VOCABULARY = "0123456789+-*=;#?"
STYLES = {"careful": 0.5, "hasty": 0.25, "guess": 0.25}
ARITHMETIC = EnvConfig(id="assay/Arithmetic-v0")
CALCULATOR = EnvConfig(id="assay/Calculator-v0")


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(ModelConfig(vocabulary=VOCABULARY, hidden=32, layers=1, feed_forward=32))


def play(policy: Policy, env: EnvConfig, config: WarmstartConfig, seed: int = 0) -> list[Demonstration]:
    make_env = episodes.env_maker(env, "train")
    agent = ChatAgent(HFEngine(policy.model), policy.tokenizer, tool_format="plain")
    tasks = episodes.tasks_of(make_env, env.id)
    return asyncio.run(demonstrate(make_env, tasks, config, agent, seed=seed))


def text(policy: Policy, ids: np.ndarray) -> str:
    return str(policy.tokenizer.decode(ids.tolist()))


def test_single_turn_demonstrations_are_prompt_working_answer(policy: Policy) -> None:
    shown = play(policy, ARITHMETIC, WarmstartConfig(demonstrations=40, styles=STYLES))
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
    shown = play(policy, CALCULATOR, WarmstartConfig(demonstrations=10, styles={"careful": 1.0}))
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
    config = WarmstartConfig(demonstrations=300, styles={"careful": 0.9, "guess": 0.1})
    shown, again, other = (play(policy, ARITHMETIC, config, seed) for seed in (0, 0, 1))

    def tokens(demonstrations: list[Demonstration]) -> list[list[int]]:
        return [d.samples[0].token_ids.tolist() for d in demonstrations]

    assert tokens(shown) == tokens(again)
    assert tokens(shown) != tokens(other)
    right = np.mean([d.correct for d in shown])
    assert 0.85 < right < 0.97  # 0.9 and the guesses that happen to be right


def test_a_style_or_an_environment_without_demonstrations_is_refused(policy: Policy) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'careful'"):
        play(policy, ARITHMETIC, WarmstartConfig(styles={"carefull": 1.0}))


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
        asyncio.run(demonstrate(make_env, make_env().tasks, WarmstartConfig(demonstrations=1), agent, seed=0))


def test_batches_go_through_everything_once_an_epoch(policy: Policy) -> None:
    shown = play(policy, ARITHMETIC, WarmstartConfig(demonstrations=12, styles={"careful": 1.0}))
    batches = [[s.trajectory_id for s in warmstart.batch(shown, 4, step, seed=0)] for step in range(6)]
    first, second = list(chain(*batches[:3])), list(chain(*batches[3:]))
    assert len(set(first)) == len(set(second)) == 12
    assert first != second
    weights = sum(float(s.weights.sum()) for s in warmstart.batch(shown, 4, 0, seed=0))
    assert weights == pytest.approx(1.0)


def test_rate_ramps_and_decays() -> None:
    rates = [warmstart.rate(step, 200) for step in range(201)]
    assert rates[0] == pytest.approx(1 / warmstart.RAMP)
    assert max(rates) > 0.95
    assert rates[-1] == pytest.approx(0.0)


def test_imitation_learns_the_demonstrations(policy: Policy) -> None:
    torch.set_num_threads(1)
    config = WarmstartConfig(demonstrations=16, styles={"careful": 1.0})
    shown = play(policy, EnvConfig(id="assay/Arithmetic-v0", options={"terms": 2}), config)
    model = load_policy(ModelConfig(vocabulary=VOCABULARY, hidden=32, layers=2, feed_forward=64)).model
    updater = Updater(model, torch.optim.AdamW(model.parameters(), lr=1e-2), make_loss("nll"))
    losses = [updater.step(warmstart.batch(shown, 16, step, seed=0))["loss"] for step in range(60)]
    assert losses[-1] < 0.2 * losses[0]
