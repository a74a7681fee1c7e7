import numpy as np
import pytest

from assay.core.errors import ConfigError
from assay.core.trajectory import Group, Step, Trajectory, Turn
from assay.core.verdict import right
from assay.trainers.samples import assign_weights, build_samples
from tests.trainers.builders import outcome_group, random_samples, trajectory


def test_advantages_land_on_the_tokens_of_their_turn_only():
    episode = trajectory([0.0, 1.0], tokens=[2, 3])
    (sample,) = build_samples([Group("g", (episode,))], [[np.array([0.5, -2.0])]])
    assert sample.token_ids.tolist() == [1, 2, 3, 3, 1, 2, 3, 3, 3]
    assert sample.advantages.tolist() == [0, 0, 0.5, 0.5, 0, 0, -2, -2, -2]
    assert sample.weights.tolist() == pytest.approx([0, 0, 0.2, 0.2, 0, 0, 0.2, 0.2, 0.2])


def test_members_without_a_verdict_give_no_sample_and_no_count():
    group = outcome_group([1, None, 0], tokens=[2, 50, 3])
    samples = build_samples([group], [[np.ones(1), None, np.ones(1)]])
    assert [s.trajectory_id for s in samples] == ["g-0", "g-2"]
    assert sum(s.weights.sum() for s in samples) == pytest.approx(1)
    assert samples[0].weights.max() == pytest.approx(1 / 5)


def test_the_three_normalizations():
    samples = [
        build_samples(
            [outcome_group([1, 0], tokens=[1, 4])], [[np.ones(1), np.ones(1)]], normalization=mode, max_tokens=10
        )
        for mode in ("token-mean", "sequence-mean", "constant")
    ]
    weights = [[float(s.weights.max()) for s in pair] for pair in samples]
    assert weights == [pytest.approx([1 / 5, 1 / 5]), pytest.approx([1 / 2, 1 / 8]), pytest.approx([1 / 20, 1 / 20])]


def test_a_forked_trajectory_is_one_sequence():
    turns = [
        Turn("a", prompt_ids=(1,), output_ids=(2, 3), logprobs=(-1.0, -1.0)),
        Turn("b", prompt_ids=(1, 4), output_ids=(5, 6), logprobs=(-1.0, -1.0), fork=True),
    ]
    forked = Trajectory("f", "g", "t", "e", 0, steps=tuple(Step(t, 0.0) for t in turns), verdict=right())
    plain = trajectory([1.0], name="p", tokens=[1])
    samples = build_samples(
        [Group("g", (forked, plain))], [[np.array([1.0, 2.0]), np.ones(1)]], normalization="sequence-mean"
    )
    assert [s.trajectory_id for s in samples] == ["f", "f", "p"]
    assert [float(s.weights.max()) for s in samples] == pytest.approx([1 / 8, 1 / 8, 1 / 2])
    assert samples[1].advantages.tolist() == [0, 0, 2, 2]


@pytest.mark.parametrize("bad", [np.ones(2), np.array([np.nan])])
def test_wrong_shapes_and_nan_are_refused(bad):
    with pytest.raises(ValueError, match="trajectory 'g-0'"):
        build_samples([outcome_group([1])], [[bad]])


def test_constant_needs_a_length():
    with pytest.raises(ConfigError, match="max_tokens"):
        assign_weights(random_samples(2), "constant")


def test_unknown_normalization():
    with pytest.raises(ConfigError, match="token-mean"):
        assign_weights(random_samples(2), "mean")
