"""Numeric examples of the estimators that give each turn its own credit."""

import numpy as np
import pytest

from assay.core.errors import ConfigError
from assay.core.trajectory import Group
from assay.trainers.advantages import gae, gigpo, pure, step_process, token_gae, turn_discount
from assay.trainers.advantages.pure import min_form
from tests.trainers.builders import trajectory


def process(scores, tokens=None, correct=False, reward=0.0):
    rewards = [0.0] * (len(scores) - 1) + [reward]
    return trajectory(rewards, tokens=tokens, correct=correct, parts=[{"prm": s} for s in scores])


class TestPure:
    """Numbers of the published transform at temperature 0.1, arXiv 2504.15275."""

    def test_the_transform(self):
        got = min_form(np.array([0.8, -0.6, 0.4]), 0.1)
        assert got == pytest.approx([0, -0.59997, 0.00002], abs=1e-5)
        assert np.cumsum(got[::-1])[::-1] == pytest.approx([-0.59995, -0.59995, 0.00002], abs=1e-5)

    def test_strict_minimum_in_the_limit(self):
        got = min_form(np.array([0.8, 0.3, 0.4]), 1e-4)
        assert got == pytest.approx([0, 0.3, 0])

    def test_token_baseline(self):
        group = Group("g", (process([0.8, -0.6, 0.4], [10, 20, 10]), process([0.5, 0.5], [10, 10])))
        (got,) = pure([group], part="prm")
        assert got[0] == pytest.approx([-1.59995, -1.34995, -0.24998], abs=1e-5)
        assert got[1] == pytest.approx([0.79998, 0.39999], abs=1e-5)

    def test_the_outcome_is_added_to_every_turn(self):
        group = Group("g", (process([0.5, 0.5], correct=True), process([0.5, 0.5]), process([0.5, 0.5])))
        with_outcome, without = (pure([group], part="prm", outcome_weight=w)[0] for w in (1.0, 0.0))
        gains = [a - b for a, b in zip(with_outcome, without, strict=True)]
        assert [g.tolist() for g in gains] == [pytest.approx([g] * 2) for g in (1.0, -0.5, -0.5)]

    def test_more_good_steps_pay_in_the_sum_and_not_in_the_minimum(self):
        """Padding a solution with steps that score well is how a summed process reward is hacked."""
        honest, padded = process([0.5, 0.5], [5, 5]), process([0.5] * 6, [1, 1, 2, 2, 2, 2])
        group = Group("g", (honest, padded))
        (summed,), (least,) = (pure([group], part="prm", form=form) for form in ("sum", "min"))
        assert summed[1][0] - summed[0][0] > 1
        assert least[1][0] - least[0][0] == pytest.approx(0, abs=1e-9)

    def test_unknown_form(self):
        with pytest.raises(ConfigError, match="min, sum"):
            pure([], part="prm", form="max")


def test_step_process_adds_two_z_scores():
    """The example of online process reward learning, arXiv 2509.19199."""
    group = Group("g", (process([0.1, -0.05], correct=True, reward=1.0), process([0.025, 0.025])))
    (got,) = step_process([group], part="prm", eps=0.0)
    assert got[0] == pytest.approx([1.93185, -0.51764], abs=1e-5)
    assert got[1] == pytest.approx([-0.70711, -0.70711], abs=1e-5)


class TestGigpo:
    def test_turns_that_saw_the_same_state_are_compared(self):
        first = trajectory([0.0, 1.0], observations=["start", "a", "end"])
        second = trajectory([0.0, 0.0], observations=["start", "b", "end"])
        (got,) = gigpo([Group("g", (first, second))], gamma=0.5, eps=0.0)
        z = 2**-0.5
        assert got[0] == pytest.approx([z + z, z])  # "start" is shared, "a" is a state of its own
        assert got[1] == pytest.approx([-z - z, -z])

    def test_a_state_visited_twice_in_one_episode_is_compared_too(self):
        loop = trajectory([0.0, 1.0], observations=["s", "s", "end"])
        (got,) = gigpo([Group("g", (loop, trajectory([0.0], observations=["t", "end"])))], gamma=0.5, eps=0.0)
        z = 2**-0.5
        assert got[0] == pytest.approx([z - z, z + z])

    def test_without_shared_states_it_is_grpo(self):
        members = [trajectory([r], observations=[name, "end"]) for r, name in ((1.0, "a"), (0.0, "b"))]
        (got,) = gigpo([Group("g", tuple(members))], eps=0.0)
        assert np.concatenate(got) == pytest.approx([2**-0.5, -(2**-0.5)])


class TestTurnDiscount:
    def test_returns_are_normalised_over_all_turns(self):
        group = Group("g", (trajectory([0.0, 0.0, 1.0]), trajectory([0.0])))
        returns = np.array([0.81, 0.9, 1.0, 0.0])
        (got,) = turn_discount([group], gamma=0.9, eps=0.0)
        assert np.concatenate(got) == pytest.approx((returns - returns.mean()) / returns.std(ddof=1))

    def test_equal_totals_give_zeros_however_long_the_episodes_are(self):
        (got,) = turn_discount([Group("g", (trajectory([0.0, 1.0]), trajectory([1.0])))])
        assert np.concatenate(got).tolist() == [0, 0, 0]


class TestGae:
    def test_steps_of_an_ended_episode(self):
        """The example of VL-DAC, arXiv 2508.04280."""
        got, returns = gae(np.array([0.0, 0, 1]), np.array([0.2, 0.4, 0.6]), gamma=0.99, lam=0.95)
        assert got == pytest.approx([0.73227, 0.5702, 0.4], abs=1e-5)
        assert returns == pytest.approx([0.93227, 0.9702, 1.0], abs=1e-5)

    def test_a_cut_episode_bootstraps(self):
        cut, _ = gae(np.array([0.0]), np.array([0.2]), gamma=0.9, bootstrap=1.0)
        assert cut == pytest.approx([0.7])

    def test_gamma_and_lambda_of_one_give_the_outcome_minus_the_value(self):
        got, returns = gae(np.array([0.0, 0, 1]), np.array([0.2, 0.4, 0.6]))
        assert got == pytest.approx([0.8, 0.6, 0.4])
        assert returns == pytest.approx([1, 1, 1])

    @pytest.mark.parametrize("lam", [1.0, 0.95, 0.5])
    def test_observation_tokens_change_nothing(self, lam):
        rewards, values = np.array([0, 0, 0, 1.0]), np.array([0.3, 0.5, 0.6, 0.7])
        plain, plain_returns = gae(rewards, values, gamma=0.97, lam=lam)
        mask = np.array([0, 1, 1, 0, 0, 0, 1, 1, 0], bool)
        spread_rewards, spread_values = np.zeros(9), np.full(9, 99.0)
        spread_rewards[mask], spread_values[mask] = rewards, values
        got, returns = token_gae(spread_rewards, spread_values, mask, gamma=0.97, lam=lam)
        assert got[mask] == pytest.approx(plain)
        assert returns[mask] == pytest.approx(plain_returns)
        assert not got[~mask].any()

    def test_a_reward_on_an_observation_is_credited_to_the_action_before_it(self):
        mask = np.array([1, 0, 1], bool)
        got, _ = token_gae(np.array([0.0, 2.0, 0.0]), np.zeros(3), mask)
        assert got.tolist() == [2.0, 0.0, 0.0]

    def test_shapes_must_agree(self):
        with pytest.raises(ValueError, match="shape"):
            gae(np.zeros(2), np.zeros(3))
