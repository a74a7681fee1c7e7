"""Metrics of a run: rows of `metrics.jsonl`, mirrored to TensorBoard.

Invariants:

* Every row is flat and names its `kind`, its `step` and the seconds since the run began; numbers are finite, what is
  not defined is null.
* `offset` is the length of the file in bytes. A resumed run truncates the file to the offset of its checkpoint, so
  a step that is done again is recorded once.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from assay.core.trajectory import Group, Trajectory
from assay.trainers.trackers import Tracker

Kind = Literal["warmstart", "train", "eval"]


class MetricsLog:
    """Writes the metrics of a run directory. Every row is on its way to the disk when `write` returns."""

    def __init__(
        self, run_dir: Path, *, offset: int = 0, tensorboard: bool = False, trackers: Sequence[Tracker] = ()
    ) -> None:
        """Open the log, with everything after the first `offset` bytes removed. Closing it closes the trackers."""
        self._trackers = trackers
        path = run_dir / "metrics.jsonl"
        path.touch()
        os.truncate(path, min(offset, path.stat().st_size))
        self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115 - closed by close()
        self._board: Any = None
        if tensorboard:
            from torch.utils.tensorboard.writer import SummaryWriter

            self._board = SummaryWriter(str(run_dir / "tensorboard"))  # type: ignore[no-untyped-call]

    @property
    def offset(self) -> int:
        """Bytes written so far."""
        return self._file.tell()

    def write(self, kind: Kind, step: int, seconds: float, numbers: Mapping[str, float | int | None]) -> dict[str, Any]:
        """Append one row and return it."""
        values = {name: _finite(value) for name, value in numbers.items()}
        row = {"kind": kind, "step": step, "time": round(seconds, 3), **values}
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in values.items():
                if value is not None:
                    self._board.add_scalar(f"{kind}/{name}", value, step)
        for tracker in self._trackers:
            tracker.write(kind, step, values)
        return row

    def close(self) -> None:
        """Close the files. Idempotent."""
        self._file.close()
        if self._board is not None:
            self._board.close()
        for tracker in self._trackers:
            tracker.close()


def rollout_metrics(groups: Sequence[Group], context: int) -> dict[str, float | None]:
    """Return the numbers of a step's episodes, all that were played, whatever was trained on.

    Means of `reward`, `correct` (the raw outcome) and of the reward's `parts` are over episodes with a verdict, those
    of `turns` and `tokens` over all. `out_of_room` is the share of episodes that filled a context of `context` tokens,
    `mixed` is the share of groups whose verdicts differ. `seconds/sandbox`, where
    programs were run for the verdicts, is the processor time that they took.
    """
    members = [trajectory for group in groups for trajectory in group]
    scored = [trajectory for trajectory in members if trajectory.scored]
    names = sorted({name for t in scored for step in t.steps for name in step.parts})
    parts = {name: [_part(t, name) for t in scored] for name in names}
    return {
        "episodes": float(len(members)),
        "unscored": float(len(members) - len(scored)),
        "reward": _mean([t.reward for t in scored]),
        "correct": _mean([None if t.correct is None else float(t.correct) for t in scored]),
        "truncated": _mean([float(t.status == "truncated") for t in members]),
        "out_of_room": _mean([float(t.fills(context)) for t in members]),
        "turns": _mean([float(len(t.steps)) for t in members]),
        "tokens_per_episode": _mean([float(t.output_tokens) for t in members]),
        "forks": _mean([float(step.turn.fork) for t in members for step in t.steps]),
        "mixed": _mean([float(group.mixed) for group in groups]),
        **{f"reward/{name}": _mean(values) for name, values in parts.items()},
        **_sandbox_seconds(members),
    }


def _sandbox_seconds(members: Sequence[Trajectory]) -> dict[str, float | None]:
    details = [member.verdict.details for member in members if member.verdict is not None]
    spent = [float(known["sandbox_seconds"]) for known in details if "sandbox_seconds" in known]
    return {"seconds/sandbox": sum(spent)} if spent else {}


def output_tokens(groups: Sequence[Group]) -> int:
    """Return how many tokens were sampled in all episodes of the groups."""
    return sum(trajectory.output_tokens for group in groups for trajectory in group)


def _part(trajectory: Trajectory, name: str) -> float | None:
    """Return the sum of one component of the reward over an episode, None when it never had a value."""
    known = [value for step in trajectory.steps if (value := step.parts.get(name)) is not None]
    return sum(known) if known else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def read_metrics(run_dir: str | Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a run's metrics; a last line that is half written is left out."""
    path = Path(run_dir) / "metrics.jsonl"
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


def _finite(value: float | int | None) -> float | int | None:
    if value is None or not math.isfinite(value):
        return None
    return int(value) if isinstance(value, int) else float(f"{value:.6g}")
