from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import ConfigError
from assay.curricula import POLICIES, SuccessGate, make_policy
from assay.curricula.gaussian import bell
from assay.curricula.learnability import learnability
from assay.curricula.odsw import difficulty_weights
from assay.curricula.rates import SuccessRates

EVERY = pytest.mark.parametrize("name", POLICIES.names())
GROUPS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8)), max_size=30)


def taught(policy, successes, rounds=20, size=8):
    """Show the policy groups of each arm with `successes[arm]` of `size` right."""
    for _ in range(rounds):
        for arm, correct in enumerate(successes):
            policy.observe(arm, correct, size)
    return policy


def shares(policy, n=2000):
    counts = Counter(policy.choose(n))
    return [counts[arm] / n for arm in range(policy.arms)]


@EVERY
@settings(max_examples=20, deadline=None)
@given(before=GROUPS, after=GROUPS, seed=st.integers(0, 5))
def test_state_is_json_and_goes_on_exactly_the_same(name, before, after, seed):
    first, second = make_policy(name, 4, seed=seed), make_policy(name, 4, seed=seed)
    for arm, correct in before:
        first.observe(arm, correct, 8)
        first.choose(1)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for arm, correct in after:
        assert first.choose(2) == second.choose(2)
        first.observe(arm, correct, 8)
        second.observe(arm, correct, 8)
    assert first.metrics() == second.metrics()
    assert all(0 <= arm < 4 for arm in first.choose(20))


@EVERY
def test_choices_do_not_depend_on_how_many_are_asked_for_at_once(name):
    together, single = make_policy(name, 5, seed=1), make_policy(name, 5, seed=1)
    assert together.choose(20) == [single.choose(1)[0] for _ in range(20)]
    if name != "staged":  # its first stage is one arm, whatever the seed
        assert make_policy(name, 5, seed=2).choose(20) != make_policy(name, 5, seed=1).choose(20)


@EVERY
def test_mistakes_are_refused(name):
    with pytest.raises(ConfigError, match="memory"):
        make_policy(name, 2, memorry=3)
    with pytest.raises(ConfigError, match="at least one arm"):
        make_policy(name, 0)
    with pytest.raises(ConfigError, match="3 arms, not 2"):
        make_policy(name, 2).load_state_dict(make_policy(name, 3).state_dict())


def test_uniform_is_uniform():
    assert shares(taught(make_policy("uniform", 4), [0, 2, 4, 8])) == pytest.approx([0.25] * 4, abs=0.04)


class TestStaged:
    def test_stages_open_in_order(self):
        policy = make_policy("staged", 3, threshold=0.75, minimum=16, review=0.0)
        assert set(policy.choose(20)) == {0}
        policy.observe(0, 8, 8)
        assert policy.stage == 0  # too few episodes
        policy.observe(2, 8, 8)
        policy.observe(0, 4, 8)
        assert policy.stage == 1  # 12 of 16
        policy.observe(1, 0, 16)
        assert set(policy.choose(20)) == {1}
        taught(policy, [0, 8, 8], rounds=100)
        assert policy.stage == 2
        assert policy.metrics()["stage"] == 2.0

    def test_review(self):
        policy = taught(make_policy("staged", 3, review=0.3), [8, 8, 8])
        assert shares(policy) == pytest.approx([0.15, 0.15, 0.7], abs=0.04)

    def test_a_gate_that_cannot_open_is_refused(self):
        with pytest.raises(ConfigError, match="memory"):
            make_policy("staged", 2, minimum=500)
        with pytest.raises(ConfigError, match="threshold"):
            SuccessGate(threshold=0.0)


class TestLearnability:
    def test_the_estimate_is_unbiased(self):
        p, n = 0.3, 5
        chances = [(k, _binomial(n, k, p)) for k in range(n + 1)]
        assert sum(c * learnability(k, n) for k, c in chances) == pytest.approx(p * (1 - p))

    def test_weight_follows_p_times_one_minus_p(self):
        policy = taught(make_policy("learnability", 3, explore=0.0, memory=10**6), [0, 2, 4], rounds=2000)
        got = policy.probabilities()
        assert got[0] < 0.001
        assert got[1] / got[2] == pytest.approx((2 * 6) / (4 * 4), rel=0.01)

    def test_half_mastered_and_half_hopeless_is_nothing_to_learn(self):
        policy = make_policy("learnability", 2, explore=0.0)
        for _ in range(50):
            policy.observe(0, 8, 8)
            policy.observe(0, 0, 8)
            policy.observe(1, 4, 8)
        assert policy.probabilities()[1] > 0.95

    def test_single_episodes_are_paired(self):
        policy = make_policy("learnability", 1, memory=10**6)
        for outcome in (1, 0) * 500:
            policy.observe(0, outcome, 1)
        assert policy.variances.known()[0] == pytest.approx(0.5)  # every pair differs


def _binomial(n, k, p):
    from math import comb

    return comb(n, k) * p**k * (1 - p) ** (n - k)


def test_thompson_finds_the_mixed_arm_and_comes_back_when_things_change():
    policy = taught(make_policy("thompson", 3), [0, 8, 4])
    assert shares(policy)[2] > 0.8
    assert shares(taught(policy, [0, 4, 8], rounds=100))[1] > 0.8


def test_band_takes_what_is_inside_or_the_nearest():
    policy = taught(make_policy("band", 4, explore=0.0), [0, 1, 5, 8])
    assert shares(policy) == pytest.approx([0.0, 0.5, 0.5, 0.0], abs=0.05)
    outside = taught(make_policy("band", 2, explore=0.0), [7, 8])
    assert shares(outside) == [1.0, 0.0]
    assert shares(make_policy("band", 2), 4000) == pytest.approx([0.5, 0.5], abs=0.04)


def test_the_bell_of_the_reference():
    rates = np.array([0.0, 0.125, 0.25, 0.5, 0.75, 0.875, 1.0])
    assert bell(rates) == pytest.approx([0, 0.0796, 0.3247, 1, 0.3247, 0.0796, 0], abs=5e-5)
    policy = taught(make_policy("gaussian", 3, explore=0.0, memory=10**6), [2, 4, 8])
    assert policy.probabilities() == pytest.approx(np.array([0.3247, 1, 0]) / 1.3247, abs=1e-4)


def test_the_weights_of_the_reference():
    rates = np.array([0, 0.25, 0.5, 0.75, 1])
    assert difficulty_weights(rates, "easy") == pytest.approx([0, 0.7071, 1, 1, 1], abs=1e-4)
    assert difficulty_weights(rates, "medium") == pytest.approx([0, 0.7071, 1, 0.7071, 0], abs=1e-4)
    assert difficulty_weights(rates, "hard") == pytest.approx([0.25, 1, 1, 0.7071, 0], abs=1e-4)
    policy = taught(make_policy("odsw", 2, stage="hard", explore=0.0), [0, 2])
    assert policy.probabilities() == pytest.approx([0.2, 0.8])
    with pytest.raises(ConfigError, match="did you mean 'hard'"):
        make_policy("odsw", 2, stage="hardd")


def test_exploration_is_a_floor():
    policy = taught(make_policy("gaussian", 4, explore=0.2), [0, 0, 4, 8])
    assert policy.probabilities() == pytest.approx([0.05, 0.05, 0.85, 0.05])
    assert taught(make_policy("gaussian", 2, explore=0.0), [0, 8]).probabilities() == pytest.approx([0.5, 0.5])


def test_rates_forget():
    rates = SuccessRates(1, memory=32)
    assert np.isnan(rates.known()[0])
    for correct in [0] * 50 + [8] * 20:
        rates.add(0, correct, 8)
    assert rates.total[0] == pytest.approx(32)
    assert rates.known()[0] > 0.99
    with pytest.raises(ValueError, match="9 correct of 8"):
        rates.add(0, 9, 8)
