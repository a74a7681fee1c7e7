import numpy as np
import pytest

from assay.core.trajectory import Group
from assay.trainers.advantages import grpo, make_advantage
from tests.trainers.builders import outcome_group, trajectory


def values(advantages):
    return [None if a is None else a.tolist() for a in advantages]


def test_z_score_within_the_group():
    (got,) = grpo([outcome_group([1, 1, 0, 1])], eps=0.0)
    assert np.concatenate(got) == pytest.approx([0.5, 0.5, -1.5, 0.5])


def test_population_std_and_eps_are_explicit():
    (got,) = grpo([outcome_group([1, 0])], ddof=0, eps=0.5)
    assert np.concatenate(got) == pytest.approx([0.5, -0.5])


def test_rankings_of_win_rates():
    (got,) = grpo([outcome_group([1, 0.5, 0])], eps=0.0)  # Pref-GRPO, arXiv 2508.20751
    assert np.concatenate(got) == pytest.approx([1, 0, -1])


def test_unscored_members_leave_the_statistics():
    (got,) = grpo([outcome_group([1, None, 0])], eps=0.0)
    assert got[1] is None
    assert np.concatenate([got[0], got[2]]) == pytest.approx([2**-0.5, -(2**-0.5)])


def test_every_turn_gets_the_value_of_its_trajectory():
    group = Group("g", (trajectory([0.0, 1.0, 0.0]), trajectory([0.0])))
    (got,) = grpo([group], eps=0.0)
    assert values(got) == [pytest.approx([2**-0.5] * 3), pytest.approx([-(2**-0.5)])]


def test_bound_by_name():
    (got,) = make_advantage("grpo", ddof=0, eps=0.0)([outcome_group([1, 0])])
    assert np.concatenate(got) == pytest.approx([1, -1])
