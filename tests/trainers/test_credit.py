"""Numeric examples and properties of GAE as a trainer applies it: over trainable tokens, or over turns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from assay.core.trajectory import Group, Sample, Trajectory
from assay.trainers.algorithm_config import CriticConfig
from assay.trainers.credit import ValueTargets, assign_gae, explained_variance, trajectory_gae
from assay.trainers.samples import build_samples
from tests.trainers.builders import trajectory

RAW = CriticConfig(whiten=False)


def credit(
    episodes: list[Trajectory], values: list[list[float]], config: CriticConfig
) -> tuple[list[Sample], ValueTargets, dict[str, float]]:
    groups = [Group("g", tuple(episodes))]
    samples = build_samples(groups, [[np.zeros(len(t.steps)) for t in episodes]])
    targets, metrics = assign_gae(groups, samples, [torch.tensor(v) for v in values], config)
    return samples, targets, metrics


def on_tokens(sample: Sample) -> list[float]:
    return sample.advantages[sample.loss_mask].tolist()


def test_tokens_by_hand() -> None:
    """Two turns of two tokens with the rewards 0.5 and 1, worked out from the last token."""
    config = CriticConfig(whiten=False, gamma=0.9, lam=0.5)
    values = [0.1, 0.3, 0.4, 0.2]
    samples, targets, _ = credit([trajectory([0.5, 1.0], tokens=[2, 2])], [values], config)
    fourth = 1.0 - 0.2
    third = 0.9 * 0.2 - 0.4 + 0.45 * fourth
    second = 0.5 + 0.9 * 0.4 - 0.3 + 0.45 * third
    first = 0.9 * 0.3 - 0.1 + 0.45 * second
    assert on_tokens(samples[0]) == pytest.approx([first, second, third, fourth], abs=1e-6)
    assert targets.returns[0].tolist() == pytest.approx(
        [first + 0.1, second + 0.3, third + 0.4, fourth + 0.2], abs=1e-6
    )
    assert targets.weights[0].tolist() == pytest.approx([0.25] * 4)


def test_turns_by_hand() -> None:
    config = CriticConfig(whiten=False, level="turn", gamma=0.9, lam=0.5)
    episodes = [trajectory([0.5, 1.0], name="a", tokens=[2, 3]), trajectory([0.0], name="b", tokens=[1])]
    samples, targets, _ = credit(episodes, [[0.1, 9, 0.4, 9, 9], [0.2]], config)
    second = 1.0 - 0.4
    first = 0.5 + 0.9 * 0.4 - 0.1 + 0.45 * second
    assert on_tokens(samples[0]) == pytest.approx([first] * 2 + [second] * 3)
    assert on_tokens(samples[1]) == pytest.approx([-0.2])
    assert targets.returns[0].tolist() == pytest.approx([first + 0.1, 0, 1.0, 0, 0])
    assert targets.weights[0].tolist() == pytest.approx([1 / 3, 0, 1 / 3, 0, 0])
    assert targets.weights[1].tolist() == pytest.approx([1 / 3])


@pytest.mark.parametrize("level", ["token", "turn"])
def test_what_the_environment_says_costs_no_discount(level: str) -> None:
    episode = trajectory([0.2, 0.0, 1.0], tokens=[2, 1, 3])
    longer = replace(
        episode,
        steps=tuple(replace(s, turn=replace(s.turn, prompt_ids=s.turn.prompt_ids * 7)) for s in episode.steps),
    )
    config = CriticConfig(whiten=False, gamma=0.8, lam=0.7, level=level)  # type: ignore[arg-type]
    values = [0.5, 0.1, 0.2, 0.3, 0.9, 0.7]
    (short,), _, _ = credit([episode], [values], config)
    (long,), _, _ = credit([longer], [values], config)
    assert len(long) > len(short)
    assert on_tokens(long) == on_tokens(short)


@pytest.mark.parametrize("level", ["token", "turn"])
def test_a_fork_is_the_same_episode(level: str) -> None:
    episode = trajectory([0.2, 1.0], tokens=[2, 2])
    first, second = episode.steps
    forked = replace(episode, steps=(first, replace(second, turn=replace(second.turn, fork=True))))
    config = CriticConfig(whiten=False, gamma=0.8, lam=0.7, level=level)  # type: ignore[arg-type]
    values = [0.5, 0.1, 0.2, 0.3]
    (whole,), _, _ = credit([episode], [values], config)
    parts, _, _ = credit([forked], [values[:2], values[2:]], config)
    assert len(parts) == 2
    assert [a for part in parts for a in on_tokens(part)] == on_tokens(whole)


@pytest.mark.parametrize("level", ["token", "turn"])
def test_a_turn_without_tokens_passes_its_reward_back(level: str) -> None:
    config = CriticConfig(whiten=False, level=level)  # type: ignore[arg-type]
    (sample,), _, _ = credit([trajectory([0.0, 1.0], tokens=[2, 0])], [[0.0, 0.0]], config)
    assert on_tokens(sample) == [1.0, 1.0]
    nobodys, _, _ = trajectory_gae(trajectory([1.0, 0.0], tokens=[0, 1]), np.array([1], np.int32), np.zeros(1), config)
    assert nobodys.tolist() == [0.0]


def test_without_discount_the_advantage_is_the_return_minus_the_value() -> None:
    (sample,), targets, _ = credit([trajectory([0.0, 1.0], tokens=[2, 2])], [[0.1, 0.2, 0.3, 0.4]], RAW)
    assert on_tokens(sample) == pytest.approx([0.9, 0.8, 0.7, 0.6])
    assert targets.returns[0].tolist() == pytest.approx([1.0] * 4)


def test_whitening_is_over_the_tokens_of_the_step() -> None:
    episodes = [trajectory([1.0], name="a", tokens=[5]), trajectory([0.0], name="b", tokens=[1])]
    samples, targets, _ = credit(episodes, [[0.0] * 5, [0.0]], CriticConfig())
    values = np.array([a for sample in samples for a in on_tokens(sample)])
    assert values.mean() == pytest.approx(0, abs=1e-6)
    assert values.std() == pytest.approx(1, abs=1e-4)
    assert targets.returns[0].tolist() == [1.0] * 5


def test_explained_variance() -> None:
    returns = np.array([0.0, 1.0, 2.0])
    assert explained_variance(returns, returns) == 1
    assert explained_variance(returns, np.full(3, 7.0)) == 0
    assert explained_variance(returns, -returns) == pytest.approx(-3)
    assert np.isnan(explained_variance(np.ones(3), returns))
    *_, metrics = credit([trajectory([1.0], name="a"), trajectory([0.0], name="b")], [[0.9] * 3, [0.1] * 3], RAW)
    assert metrics["explained_variance"] == pytest.approx(1 - 0.01 / 0.25, abs=1e-6)
    assert (metrics["return"], metrics["value"]) == (0.5, pytest.approx(0.5))


def test_nothing_to_learn_from() -> None:
    assert assign_gae([], [], [], RAW) == (ValueTargets([], [], []), {})
