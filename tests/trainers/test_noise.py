"""The corrections against the numbers of arXiv 2510.00915 and against simulated gradients."""

from __future__ import annotations

import numpy as np
import pytest

from assay.audits.training import NoiseChannel
from assay.core.errors import ConfigError
from assay.trainers.advantages import ADVANTAGES, make_advantage
from assay.trainers.algorithm_config import AlgorithmConfig, NoiseConfig
from assay.trainers.noise import backward, forward
from tests.trainers.builders import outcome_group

RHO0, RHO1 = 0.1, 0.2


def test_backward_maps_rewards_and_keeps_the_outcome() -> None:
    group = outcome_group([1.0, 0.0, None, 0.0])
    (shaped,) = backward(RHO0, RHO1, make_advantage("dr_grpo"))([group])
    # (1 - .1) / .7 and (0 - .1) / .7
    assert [t.reward for t in shaped if t.scored] == pytest.approx([0.9 / 0.7, -0.1 / 0.7, -0.1 / 0.7])
    assert [t.correct for t in shaped] == [t.correct for t in group]
    assert shaped.mixed == group.mixed
    assert shaped.trajectories[2] == group.trajectories[2]
    raw = [t.reward - t.steps[-1].parts["shaping/noise_backward"] for t in shaped if t.scored]
    assert raw == pytest.approx([1.0, 0.0, 0.0])


def test_backward_scales_the_advantages_of_a_linear_estimator_by_one_over_j() -> None:
    group = outcome_group([1.0, 0.0, 1.0, 0.0, 0.0])
    advantage = make_advantage("rloo")
    before = np.concatenate(advantage([group])[0])
    after = np.concatenate(advantage(backward(RHO0, RHO1, advantage)([group]))[0])
    assert after == pytest.approx(before / (1 - RHO0 - RHO1))


def test_backward_is_refused_where_it_would_do_nothing() -> None:
    linear = {name for name in ADVANTAGES.names() if _accepted(name)}
    assert {"dr_grpo", "rloo"} <= linear
    assert not {"grpo", "reinforce_pp", "maxrl"} & linear
    with pytest.raises(ConfigError, match=r"cancels.*dr_grpo"):
        backward(RHO0, RHO1, make_advantage("grpo"))
    backward(0.0, 0.0, make_advantage("grpo"))  # a perfect verifier: nothing to cancel


def _accepted(name: str) -> bool:
    try:
        backward(RHO0, RHO1, make_advantage(name))
    except ConfigError:
        return False
    return True


def test_forward_weights() -> None:
    (group,) = forward(RHO1)([outcome_group([1.0, 0.0, None])])
    assert group[0] == pytest.approx([RHO1])
    assert group[1] == pytest.approx([RHO1 - 1])
    assert group[2] is None


def test_gradients_of_a_bernoulli_policy_are_those_of_the_paper() -> None:
    """Policy: right with probability p = sigmoid(theta), so the clean gradient is p (1 - p)."""
    p, rng = 0.3, np.random.default_rng(0)
    channel = NoiseChannel(RHO0, RHO1)
    right = rng.random(400_000) < p
    seen = np.where(right, rng.random(right.size) >= RHO1, rng.random(right.size) < RHO0).astype(float)
    score = right - p  # d log pi / d theta

    def gradient(rewards: np.ndarray) -> float:
        return float((rewards * score).mean())

    clean = p * (1 - p)
    group = outcome_group(seen[:2000].tolist())
    (shaped,) = backward(RHO0, RHO1, make_advantage("dr_grpo"))([group])
    corrected = np.array([channel.backward(r) for r in seen])
    assert [t.reward for t in shaped] == pytest.approx(corrected[:2000])
    weights = np.concatenate(forward(RHO1)([group])[0])
    assert weights == pytest.approx([channel.forward(r) for r in seen[:2000]])
    assert gradient(seen) == pytest.approx(channel.youden * clean, abs=0.003)
    assert gradient(corrected) == pytest.approx(clean, abs=0.003)
    assert gradient(seen + RHO1 - 1) == pytest.approx(channel.youden * clean, abs=0.003)


def test_rewards_that_are_no_outcomes_are_refused() -> None:
    for correct in (backward(RHO0, RHO1, make_advantage("dr_grpo")), forward(RHO1)):
        with pytest.raises(ConfigError, match="0 and 1"):
            correct([outcome_group([0.5, 1.0])])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise": {"method": "forward", "rho1": 0.1}}, "dynamic_sampling"),
        (
            {
                "noise": {"method": "forward", "rho1": 0.1},
                "dynamic_sampling": "keep",
                "shaping": [{"name": "soft_overlong"}],
            },
            "shaping",
        ),
        ({"noise": {"method": "backward", "rho0": 0.6, "rho1": 0.4}}, "below 1"),
    ],
)
def test_configurations_that_make_no_sense(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AlgorithmConfig.model_validate(settings)


def test_off_by_default() -> None:
    assert AlgorithmConfig().noise is None
    assert NoiseConfig(method="backward").rho0 == 0
