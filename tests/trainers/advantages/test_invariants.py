"""What every estimator promises: no verdict stays no verdict, no signal is exactly zero, NaN never comes out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import ConfigError, UnknownNameError
from assay.core.trajectory import Group
from assay.trainers.advantages import ADVANTAGES, make_advantage
from tests.trainers.builders import trajectory

OPTIONS = {"gdpo": {"weights": {"a": 1.0, "b": 0.5}}, "pure": {"part": "a"}, "step_process": {"part": "a"}}
ESTIMATORS = {name: make_advantage(name, **OPTIONS.get(name, {})) for name in ADVANTAGES.names()}
GROUP_RELATIVE = sorted(set(ESTIMATORS) - {"reinforce_pp"})

numbers = st.floats(-5, 5, allow_nan=False).map(lambda x: round(x, 2))


@st.composite
def episodes(draw, number):
    turns = draw(st.integers(1, 4))
    rewards = draw(st.lists(numbers, min_size=turns, max_size=turns))
    part = st.one_of(st.none(), numbers, st.just(float("nan")))
    return trajectory(
        rewards,
        name=f"t{number}",
        scored=draw(st.booleans()),
        tokens=[draw(st.integers(0, 5)) for _ in range(turns)],
        parts=[{"a": draw(part), "b": draw(part)} for _ in range(turns)],
        observations=[draw(st.sampled_from("xyz")) for _ in range(turns + 1)],
    )


@st.composite
def batches(draw):
    return [
        Group(f"g{g}", tuple(draw(episodes(i)) for i in range(draw(st.integers(1, 4)))))
        for g in range(draw(st.integers(1, 3)))
    ]


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
@settings(max_examples=40, deadline=None)
@given(groups=batches())
def test_shapes_and_finiteness(name, groups):
    got = ESTIMATORS[name](groups)
    assert len(got) == len(groups)
    for group, members in zip(groups, got, strict=True):
        for member, array in zip(group, members, strict=True):
            assert (array is None) == (not member.scored)
            if array is not None:
                assert array.shape == (len(member.steps),)
                assert np.isfinite(array).all()


@pytest.mark.parametrize("name", GROUP_RELATIVE)
def test_a_group_of_one_teaches_nothing(name):
    lone = trajectory([0.3, 0.7], parts=[{"a": 0.2, "b": 1.0}, {"a": 0.9, "b": 0.1}])
    crashed = trajectory([5.0], scored=False, parts=[{"a": 1.0, "b": 1.0}])
    (got,) = ESTIMATORS[name]([Group("g", (lone, crashed))])
    assert got[0].tolist() == [0.0, 0.0]
    assert got[1] is None


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
@pytest.mark.parametrize("reward", [0.0, 0.1, 1.0])
def test_equal_members_teach_nothing(name, reward):
    """0.1 three times has a floating-point mean that is not 0.1: equality must not become a direction."""
    members = [trajectory([reward], name=str(i), parts=[{"a": reward, "b": reward}]) for i in range(3)]
    (got,) = ESTIMATORS[name]([Group("g", tuple(members))])
    assert [a.tolist() for a in got] == [[0.0]] * 3


@pytest.mark.parametrize("name", GROUP_RELATIVE)
def test_a_group_without_signal_stays_at_zero_beside_one_that_has_it(name):
    def group(label, rewards, tokens):
        return Group(
            label,
            tuple(
                trajectory([r], name=f"{label}{i}", tokens=[n], parts=[{"a": r, "b": r}])
                for i, (r, n) in enumerate(zip(rewards, tokens, strict=True))
            ),
        )

    mixed, flat = group("m", [1, 0, 0], [1, 5, 9]), group("f", [1, 1, 1], [4, 4, 4])
    got = ESTIMATORS[name]([mixed, flat])
    assert all(a.tolist() == [0.0] for a in got[1])
    assert got[0][0][0] > 0 > got[0][1][0]


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_a_reward_that_is_not_a_number_is_no_verdict(name):
    members = [trajectory([r], name=str(r), correct=False, parts=[{"a": r, "b": r}]) for r in (0.0, 1.0)]
    object.__setattr__(members[1].steps[0], "reward", float("nan"))
    (got,) = ESTIMATORS[name]([Group("g", tuple(members))])
    assert got[1] is None
    assert np.isfinite(got[0]).all()


def test_nothing_in_nothing_out():
    assert all(estimate([]) == [] for estimate in ESTIMATORS.values())


def test_misspelt_names_and_options():
    with pytest.raises(UnknownNameError, match="did you mean 'grpo'"):
        make_advantage("grop")
    with pytest.raises(ConfigError, match="did you mean 'ddof'"):
        make_advantage("grpo", dof=1)
    with pytest.raises(ConfigError, match="needs the option 'weights'"):
        make_advantage("gdpo")


@pytest.mark.parametrize("name", ["gdpo", "pure", "step_process"])
def test_a_part_that_no_step_has(name):
    options = {"weights": {"speed": 1.0}} if name == "gdpo" else {"part": "speed"}
    group = Group("g", (trajectory([1.0], parts=[{"format": 1.0}]),))
    with pytest.raises(ConfigError, match="no step has the reward part 'speed'; parts seen: format"):
        make_advantage(name, **options)([group])
