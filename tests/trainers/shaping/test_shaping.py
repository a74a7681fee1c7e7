import numpy as np
import pytest

from assay.core.errors import ConfigError
from assay.core.trajectory import Group
from assay.trainers.advantages import grpo
from assay.trainers.shaping import SHAPERS, make_shaper, soft_overlong, top_lambda_length, unlikeliness
from tests.trainers.builders import outcome_group, trajectory

OPTIONS = {
    "lagrangian": {"at_least": {"answer": 0.9}},
    "pareto_mask": {"parts": ["answer"]},
    "soft_overlong": {"max_tokens": 4, "buffer": 3},
    "top_lambda_length": {"fraction": 1.0},
    "verifier_dominant": {"part": "answer"},
}


def rewards(group):
    return [t.reward for t in group]


def advantages(group):
    return np.concatenate(grpo([group], eps=0.0)[0])


def with_logprobs(outcomes, logprobs):
    pairs = zip(outcomes, logprobs, strict=True)
    return Group("g", tuple(trajectory([r], name=str(i), correct=r > 0, logprob=p) for i, (r, p) in enumerate(pairs)))


@pytest.mark.parametrize("name", SHAPERS.names())
def test_raw_outcomes_parts_and_inputs_stay(name):
    group = Group(
        "g",
        (
            trajectory([0.0, 1.0], tokens=[2, 3], parts=[{}, {"answer": 1.0}], logprob=-0.5),
            trajectory([0.0], tokens=[3], parts=[{"answer": 0.0}], correct=False),
            trajectory([1.0], tokens=[9], scored=False),
        ),
    )
    before = [t.to_json() for t in group]
    (shaped,) = make_shaper(name, **OPTIONS.get(name, {}))([group])
    assert [t.to_json() for t in group] == before
    assert [t.correct for t in shaped] == [True, False, None]
    assert shaped.trajectories[2] is group.trajectories[2]
    for raw, new in zip(group.scored, shaped.scored, strict=True):
        last = new.steps[-1]
        assert last.parts["answer"] == raw.steps[-1].parts["answer"]
        assert new.reward - last.parts[f"shaping/{name}"] == pytest.approx(raw.reward)
        assert new.steps[:-1] == raw.steps[:-1]
    if name != "pareto_mask":  # the only member that it could take from has nothing
        assert [t.reward for t in shaped.scored] != [t.reward for t in group.scored]


@pytest.mark.parametrize("name", SHAPERS.names())
def test_groups_without_a_verdict_pass(name):
    group = outcome_group([None, None])
    assert make_shaper(name, **OPTIONS.get(name, {}))([group, Group("empty", ())])[0] == group


class TestSoftOverlong:
    def test_the_ramp(self):
        group = outcome_group([1] * 5, tokens=[10, 80, 90, 100, 130])
        (got,) = soft_overlong([group], max_tokens=100, buffer=20)
        assert rewards(got) == pytest.approx([1, 1, 0.5, 0, 0])

    def test_it_counts_what_was_sampled_in_all_turns(self):
        group = Group("g", (trajectory([0.0, 1.0], tokens=[50, 40]),))
        (got,) = soft_overlong([group], max_tokens=100, buffer=20)
        assert rewards(got) == pytest.approx([0.5])

    def test_a_buffer_that_makes_no_sense(self):
        with pytest.raises(ConfigError, match="buffer"):
            soft_overlong([], max_tokens=10, buffer=20)


class TestUnlikeliness:
    def test_the_numbers_of_the_released_code(self):
        (got,) = unlikeliness([with_logprobs([1, 1, 0, 1], [-0.1, -0.5, -0.2, -1.0])], beta=0.25)
        assert rewards(got) == pytest.approx([0.8125, 0.9375, 0, 1])
        assert advantages(got) == pytest.approx([0.26887, 0.53773, -1.47876, 0.67216], abs=1e-5)

    def test_an_all_correct_group_gets_a_signal_but_its_raw_outcome_does_not(self):
        (got,) = unlikeliness([with_logprobs([1, 1], [-0.1, -0.5])])
        assert advantages(got)[1] > 0 > advantages(got)[0]
        assert not got.mixed

    def test_punishments_are_not_softened(self):
        (got,) = unlikeliness([with_logprobs([-1, -1], [-0.1, -0.5])])
        assert rewards(got) == [-1, -1]


class TestTopLambdaLength:
    def test_the_numbers_of_the_formula(self):
        group = outcome_group([1, 1, 1, 0], tokens=[100, 200, 300, 50])
        (got,) = top_lambda_length([group], alpha=0.6)
        assert rewards(got) == pytest.approx([0.86374, 0.7, 0.53626, 0], abs=1e-5)
        assert advantages(got) == pytest.approx([0.90411, 0.46708, 0.03006, -1.40125], abs=1e-5)

    def test_only_the_best_groups_are_shaped(self):
        groups = [outcome_group([1] * k + [0] * (4 - k), name=str(k)) for k in (1, 2, 4, 3, 0)]
        got = top_lambda_length(groups, fraction=0.2)
        assert [g is s for g, s in zip(groups, got, strict=True)] == [True, True, False, True, True]

    def test_equal_lengths_cost_the_same(self):
        (got,) = top_lambda_length([outcome_group([1, 1, 0])])
        assert rewards(got) == pytest.approx([0.7, 0.7, 0])

    def test_a_batch_without_a_correct_answer_is_left_alone(self):
        groups = [outcome_group([0, 0])]
        assert top_lambda_length(groups) == groups
