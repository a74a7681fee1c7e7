"""Numeric examples of the estimators that read one number per trajectory."""

import numpy as np
import pytest

from assay.core.trajectory import Group
from assay.trainers.advantages import dr_grpo, gdpo, maxrl, reinforce_pp, reinforce_pp_baseline, rloo
from tests.trainers.builders import outcome_group, trajectory


def flat(advantages):
    return np.concatenate([a for members in advantages for a in members if a is not None])


def test_dr_grpo_centres_only():
    assert flat(dr_grpo([outcome_group([1, 0, 0, 0])])) == pytest.approx([0.75, -0.25, -0.25, -0.25])


def test_rloo_leaves_one_out():
    """The example of OREAL, arXiv 2502.06781: rewards of 1 and -1."""
    assert flat(rloo([outcome_group([1, 1, 1, -1])])) == pytest.approx([2 / 3, 2 / 3, 2 / 3, -2])


def test_maxrl_divides_by_the_success_rate():
    assert flat(maxrl([outcome_group([1, 0, 0, 0])])) == pytest.approx([3, -1, -1, -1])


def test_maxrl_ignores_groups_without_a_positive_mean():
    assert flat(maxrl([outcome_group([-1, 0, 1])])) == pytest.approx([0, 0, 0])


def test_reinforce_pp_whitens_tokens_of_the_batch():
    groups = [outcome_group([1, 0], tokens=[2, 6]), outcome_group([1], tokens=[4])]
    tokens = np.repeat([1.0, 0.0, 1.0], [2, 6, 4])
    expected = (np.array([1.0, 0.0, 1.0]) - tokens.mean()) / tokens.std(ddof=1)
    assert flat(reinforce_pp(groups)) == pytest.approx(expected)


def test_reinforce_pp_returns_ignore_what_the_environment_says_in_between():
    """Discounts run over turns, however many observation tokens lie between them."""
    group = Group("g", (trajectory([0.5, 1.0], tokens=[1, 1]), trajectory([0.0], tokens=[2])))
    tokens = np.array([0.5 + 0.9, 1.0, 0.0, 0.0])
    got = flat(reinforce_pp([group], gamma=0.9))
    assert got == pytest.approx(((tokens - tokens.mean()) / tokens.std(ddof=1))[:3])


def test_reinforce_pp_baseline_centres_in_the_group_first():
    groups = [outcome_group([1, 0], tokens=[2, 2]), outcome_group([5, 1], tokens=[2, 2])]
    tokens = np.repeat([0.5, -0.5, 2, -2], 2)
    expected = np.array([0.5, -0.5, 2, -2]) / tokens.std(ddof=1)
    assert flat(reinforce_pp_baseline(groups)) == pytest.approx(expected)


def parts_group(rows, **weights):
    return Group(
        "g",
        tuple(trajectory([1.0], name=str(i), parts=[dict(zip("ab", row, strict=True))]) for i, row in enumerate(rows)),
    )


def test_gdpo_tells_apart_what_a_sum_would_not():
    """Parts (1, 0) and (0, 1) with unequal spreads: the sum is 1 for both, the advantages differ."""
    group = parts_group([(1, 0), (0, 1), (0, 0), (0, 1)])
    a = np.array([1, 0, 0, 0]) - 0.25
    b = np.array([0, 1, 0, 1]) - 0.5
    total = a / a.std(ddof=1) + b / b.std(ddof=1)
    got = flat(gdpo([group], weights={"a": 1.0, "b": 1.0}, eps=0.0))
    assert got == pytest.approx(total / total.std(ddof=1))
    assert got[0] != pytest.approx(got[1])


def test_gdpo_weights_survive_the_scale_of_a_part():
    """A part counted in hundreds does not drown one counted in ones."""
    small, large = parts_group([(1, 0), (0, 0), (1, 1)]), parts_group([(1, 0), (0, 0), (1, 100)])
    weights = {"a": 1.0, "b": 0.5}
    assert flat(gdpo([small], weights=weights)) == pytest.approx(flat(gdpo([large], weights=weights)), abs=1e-4)


def test_gdpo_a_part_without_a_verdict_leaves_only_that_parts_statistics():
    group = parts_group([(1, None), (0, 1), (1, 0)])
    a = np.array([1, 0, 1]) - 2 / 3
    b = np.array([0, 0.5, -0.5])
    total = a / a.std(ddof=1) + b / np.array([0.5, -0.5]).std(ddof=1)
    got = flat(gdpo([group], weights={"a": 1.0, "b": 1.0}, eps=0.0))
    assert got == pytest.approx(total / total.std(ddof=1))
