from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from assay.core.trajectory import FinishReason, Group, Step, Trajectory, Turn
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.trainers.metrics import MetricsLog, read_metrics, rollout_metrics


def test_rows_survive_and_what_a_checkpoint_does_not_know_is_cut(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path)
    log.write("train", 1, 0.5, {"loss": 1.0})
    offset = log.offset
    log.write("train", 2, 1.0, {"loss": float("nan"), "learning_rate": 1.23456789e-7})
    assert [row["loss"] for row in read_metrics(tmp_path)] == [1.0, None]
    log.close()
    resumed = MetricsLog(tmp_path, offset=offset)
    assert resumed.offset == offset
    resumed.write("train", 2, 2.0, {"loss": 3.0})
    resumed.close()
    assert [(row["step"], row["loss"]) for row in read_metrics(tmp_path)] == [(1, 1.0), (2, 3.0)]


def test_small_numbers_keep_their_digits_and_half_a_line_is_not_read(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path)
    row = log.write("train", 1, 0.5, {"learning_rate": 1.23456789e-7, "groups": 3})
    log.close()
    assert row["learning_rate"] == 1.23457e-7
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"kind": "train", "st')
    assert list(read_metrics(tmp_path)) == [row]
    assert list(read_metrics(tmp_path / "nowhere")) == []


def test_tensorboard_gets_the_same_numbers(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = MetricsLog(tmp_path, tensorboard=True)
    log.write("train", 3, 0.5, {"loss": 0.25, "unknown": None})
    log.close()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    (scalar,) = events.Scalars("train/loss")
    assert (scalar.step, scalar.value) == (3, 0.25)


def member(number: int, verdict: Verdict, reward: float, tokens: int) -> Trajectory:
    turn = Turn("x", output_ids=(1,) * tokens, logprobs=(0.0,) * tokens)
    step = Step(turn, reward, {"outcome": verdict.score, "format": 0.5})
    return Trajectory(
        f"g#{number}", "g", "t", "e", 0, (step,), verdict=verdict, status="terminated" if verdict.scored else "failed"
    )


def test_numbers_of_a_step_leave_out_what_has_no_verdict() -> None:
    group = Group("g", (member(0, right(), 1.5, 2), member(1, wrong(), 0.5, 4), member(2, no_verdict("hung"), 0.0, 6)))
    numbers = rollout_metrics([group], context=6)
    assert numbers["episodes"] == 3
    assert numbers["unscored"] == 1
    assert numbers["reward"] == 1.0
    assert numbers["correct"] == 0.5
    assert numbers["tokens_per_episode"] == 4
    assert numbers["mixed"] == 1.0
    assert numbers["reward/outcome"] == 0.5
    assert numbers["reward/format"] == 0.5


def test_episodes_that_fill_the_context_are_counted() -> None:
    def episode(number: int, *turns: Turn) -> Trajectory:
        return replace(member(number, wrong(), 0.0, 0), steps=tuple(Step(turn, 0.0) for turn in turns))

    def turn(prompt: int, output: int, *, reason: FinishReason = "length", fork: bool = False) -> Turn:
        return Turn("x", prompt_ids=(1,) * prompt, output_ids=(1,) * output, finish_reason=reason, fork=fork)

    cut = [episode(0, turn(3, 2), turn(3, 0)), episode(1, turn(4, 4)), episode(2, turn(2, 1), turn(9, 0, fork=True))]
    whole = [
        episode(3, turn(4, 4, reason="stop")),
        episode(4, turn(4, 3)),
        episode(5, turn(4, 3), turn(5, 2, fork=True)),
    ]
    assert rollout_metrics([Group("g", tuple(cut))], context=8)["out_of_room"] == 1.0
    assert rollout_metrics([Group("g", tuple(whole))], context=8)["out_of_room"] == 0.0
