import random
from itertools import islice

import numpy as np
import pytest

from assay.audits.plan import Rollout, draws, estimate, largest_weight, neyman, plan_labels
from assay.audits.sequential import SequentialRate
from assay.core.errors import ConfigError, DataError


def population(seed=0, n=4000):
    """Rollouts with a known truth: the verifier errs mostly where another verifier disagrees."""
    rng = random.Random(seed)
    rollouts, truth = [], {}
    for i in range(n):
        right = rng.random() < 0.4
        accepted = right if rng.random() < 0.94 else not right
        other = right if rng.random() < 0.95 else not right
        rollouts.append(Rollout(f"r{i}", accepted, (other,)))
        truth[f"r{i}"] = right
    return rollouts, truth


def rates(rollouts, truth):
    right = [r for r in rollouts if truth[r.id]]
    wrong = [r for r in rollouts if not truth[r.id]]
    return sum(not r.accepted for r in right) / len(right), sum(r.accepted for r in wrong) / len(wrong)


def test_neyman_by_hand():
    assert neyman({"a": 900, "b": 100}, {"a": 0.1, "b": 0.5}, 64) == {"a": 54, "b": 10}
    assert neyman({"a": 5, "b": 100}, {"a": 0.5, "b": 0.01}, 50) == {"a": 5, "b": 45}
    assert neyman({"a": 100, "b": 100}, {"a": 0.5, "b": 0.0}, 30, least=5)["b"] >= 5
    assert sum(neyman({"a": 3, "b": 4}, {"a": 0.5, "b": 0.5}, 100).values()) == 7


def test_the_whole_population_labelled_gives_the_truth():
    rollouts, truth = population(n=300)
    result = estimate(plan_labels(rollouts, 300), truth)
    fn, fp = rates(rollouts, truth)
    assert result.fn.rate == pytest.approx(fn)
    assert result.fp.rate == pytest.approx(fp)


def test_estimates_are_unbiased_covered_and_better_than_chance():
    rollouts, truth = population()
    fn, fp = rates(rollouts, truth)
    found, covered, effects = [], [], []
    for seed in range(150):
        plan = plan_labels(rollouts, 300, seed=seed)
        result = estimate(plan, {r.id: truth[r.id] for r in plan.chosen})
        found.append((result.fn.rate, result.fp.rate))
        covered.append((result.fn.interval.low <= fn <= result.fn.interval.high,
                        result.fp.interval.low <= fp <= result.fp.interval.high))  # fmt: skip
        effects.append((result.fn.design_effect, result.fp.design_effect))
    assert np.mean(found, axis=0) == pytest.approx([fn, fp], abs=0.006)
    assert (np.mean(covered, axis=0) >= 0.89).all()
    assert np.median(effects, axis=0).max() < 0.8


def test_plans_are_reproducible_and_reach_every_stratum():
    rollouts, _ = population(n=500)
    plan = plan_labels(rollouts, 80)
    assert plan == plan_labels(rollouts, 80)
    assert len(plan.chosen) == len({r.id for r in plan.chosen}) == 80
    assert {r.stratum for r in plan.chosen[:12]} == {s.name for s in plan.strata}
    assert sum(s.weight * s.labels for s in plan.strata) == pytest.approx(500)


def test_stopping_early_keeps_the_level():
    rollouts, truth = population(n=2000)
    share = sum(r.accepted and not truth[r.id] for r in rollouts) / len(rollouts)
    plan = plan_labels(rollouts, 200)
    missed = 0
    for seed in range(40):
        rate = SequentialRate(bound=largest_weight(plan))
        for rollout, weight in islice(draws(plan, rollouts, seed=seed), 150):
            low, high = rate.update(weight * (rollout.accepted and not truth[rollout.id]))
            if not low <= share <= high:
                missed += 1
                break
    assert missed <= 4


def test_bad_input():
    rollouts, _ = population(n=200)
    with pytest.raises(ConfigError, match="too few for 4 strata"):
        plan_labels(rollouts, 10)
    with pytest.raises(ConfigError, match="unique"):
        plan_labels([*rollouts, rollouts[0]], 100)
    with pytest.raises(ConfigError, match="needs rollouts"):
        plan_labels([], 10)
    plan = plan_labels(rollouts, 60)
    with pytest.raises(DataError, match="did not choose"):
        estimate(plan, {"nobody": True})
    with pytest.raises(DataError, match="no label in stratum"):
        estimate(plan, {plan.chosen[0].id: True})


def test_strata_without_a_spread_leave_an_interval():
    rollouts = [Rollout(f"r{i}", i % 3 == 0, (i % 2 == 0,)) for i in range(120)]
    plan = plan_labels(rollouts, 40)
    found = estimate(plan, {r.id: r.accepted and r.others == (True,) for r in plan.chosen})
    low, high = found.pass_rate.interval
    assert low + 0.02 < found.pass_rate.rate < high - 0.02
