import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import SchemaError
from assay.core.message import user
from assay.core.trajectory import SCHEMA_VERSION, Group, Step, Trajectory, Turn, streams
from assay.core.verdict import StepScore, no_verdict, right, wrong


def turn(prompt=(), output=(), **fields):
    return Turn("said", tuple(prompt), tuple(output), (-0.5,) * len(output), **fields)


def trajectory(*turns, **fields):
    steps = tuple(Step(t, 0.5, {"a": 0.5, "b": None}, (user("next"),), 0.1) for t in turns)
    values = {"verdict": right(extracted="4", steps=(StepScore(0, 3, 0.9),)), "opening": (user("2+2"),), **fields}
    return Trajectory("id", "g", "t", "env", 3, steps, **values)


def test_reward_and_outcome():
    t = trajectory(turn(), turn())
    assert (t.reward, t.correct, t.scored) == (1.0, True, True)


@pytest.mark.parametrize(
    "fields",
    [{"verdict": None}, {"verdict": no_verdict("hung")}, {"status": "failed"}],
)
def test_without_a_verdict_there_is_neither(fields):
    t = trajectory(turn(), **fields)
    assert (t.reward, t.correct, t.scored) == (None, None, False)


def test_a_truncated_episode_can_be_scored():
    t = trajectory(turn(), status="truncated", verdict=wrong(status="no_answer"))
    assert (t.scored, t.correct) == (True, False)


def test_counts_versions_and_the_transcript():
    t = trajectory(turn((1, 2), (3, 4), weight_version=5), turn((6,), (7,), weight_version=4))
    assert (t.output_tokens, t.weight_version) == (3, 4)
    assert trajectory().weight_version == 0
    spanned = turn((1,), (2, 3, 4), weight_version=7, weight_spans=((5, 1), (7, 2)))
    assert trajectory(spanned, turn((6,), (7,), weight_version=7)).weight_version == 5
    assert Trajectory.from_json(trajectory(spanned).to_json()).steps[0].turn == spanned
    assert [m["role"] for m in t.messages] == ["user", "assistant", "user", "assistant", "user"]


def test_json_keeps_everything():
    t = trajectory(
        turn((1, 2), (3,), finish_reason="length", fork=True), tags=("x",), difficulty=1.5, metadata={"k": [1]}
    )
    line = t.to_json()
    assert "\n" not in line
    assert Trajectory.from_json(line) == t
    assert Trajectory.from_json(line.encode()).verdict.steps == t.verdict.steps
    assert json.loads(line)["schema_version"] == SCHEMA_VERSION
    empty = Trajectory("id", "g", "t", "env", 0)
    assert Trajectory.from_json(empty.to_json()) == empty


@given(st.text(), st.text())
def test_json_keeps_any_text(said, heard):
    t = Trajectory("id", "g", "t", "env", 0, (Step(Turn(said), 0.0, {}, (user(heard),)),))
    assert Trajectory.from_json(t.to_json()) == t


def test_json_is_written_of_what_is_no_text():
    t = Trajectory("id", "g", "t", "env", 0, (Step(Turn("a\ud800b"), 0.5, {}),), verdict=wrong("\udcff: is a file"))
    read = Trajectory.from_json(t.to_json())
    assert (read.steps[0].turn.text, read.verdict.reason, read.reward) == ("a?b", "?: is a file", 0.5)


def test_a_newer_schema_is_refused_and_an_unknown_one_too():
    row = json.loads(trajectory(turn()).to_json())
    with pytest.raises(SchemaError, match=r"schema 2.*reads up to 1.*upgrade"):
        Trajectory.from_json(json.dumps({**row, "schema_version": SCHEMA_VERSION + 1, "new_field": 1}))
    with pytest.raises(ValueError, match="group_id"):
        Trajectory.from_json('{"id": "x"}')


def test_groups():
    outcomes = [right(), wrong(), no_verdict("?"), right()]
    group = Group("g", tuple(trajectory(turn(), verdict=v) for v in outcomes))
    assert (len(group), len(group.scored), group.mixed) == (4, 3, True)
    assert not Group("g", tuple(trajectory(turn(), verdict=v) for v in (right(), no_verdict("?")))).mixed
    assert [t.correct for t in group] == [True, False, None, True]


def test_partial_credit_is_a_signal():
    def group(*scores):
        return Group("g", tuple(trajectory(turn(), verdict=replace(wrong(), score=s)) for s in scores))

    assert group(0.2, 0.5).mixed and not group(0.2, 0.2).mixed


# -- token streams


def test_a_stream_is_the_concatenation_of_its_turns():
    (sample,) = streams(trajectory(turn((1, 2, 3), (4, 5)), turn((6,), (7, 8, 9))))
    np.testing.assert_array_equal(sample.token_ids, [1, 2, 3, 4, 5, 6, 7, 8, 9])
    np.testing.assert_array_equal(sample.loss_mask, [0, 0, 0, 1, 1, 0, 1, 1, 1])
    np.testing.assert_array_equal(sample.turn_index, [-1, -1, -1, 0, 0, -1, 1, 1, 1])
    np.testing.assert_allclose(sample.logprobs, [0, 0, 0, -0.5, -0.5, 0, -0.5, -0.5, -0.5])
    assert len(sample) == 9
    assert not sample.advantages.any()
    assert not sample.weights.any()
    assert (sample.group_id, sample.trajectory_id) == ("g", "id")


def test_a_fork_starts_a_stream_of_its_own():
    first, second = streams(
        trajectory(turn((1,), (2,)), turn((3,), (4,)), turn((1, 9), (5, 6), fork=True), turn((7,), (8,)))
    )
    np.testing.assert_array_equal(first.token_ids, [1, 2, 3, 4])
    np.testing.assert_array_equal(second.token_ids, [1, 9, 5, 6, 7, 8])
    np.testing.assert_array_equal(second.turn_index, [-1, -1, 2, 2, -1, 3])


def test_episodes_without_sampled_tokens_give_no_sample():
    assert streams(trajectory(turn(), turn())) == []
    assert streams(trajectory()) == []
    assert streams(trajectory(turn((1, 2, 3)))) == []


def test_tokens_without_log_probabilities_are_refused():
    bad = Turn("x", (1,), (2, 3), (-0.5,))
    with pytest.raises(ValueError, match="turn 0: 2 tokens but 1 log-probabilities"):
        streams(trajectory(bad))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans()), max_size=6))
def test_streams_hold_every_sampled_token_once(shape):
    counter = iter(range(10_000))
    turns = [
        turn([next(counter) for _ in range(p)], [next(counter) for _ in range(o)], fork=fork) for p, o, fork in shape
    ]
    samples = streams(trajectory(*turns))
    sampled = [int(t) for s in samples for t in s.token_ids[s.loss_mask]]
    assert sampled == [t for one in turns for t in one.output_ids]
