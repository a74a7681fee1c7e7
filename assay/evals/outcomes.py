"""Outcomes: what each task's samples came to, as arrays; the one place that reads trajectories for statistics.

Invariants:

* The raw outcome (`Trajectory.correct`) is read, never a shaped reward. A sample without a verdict, or whose verdict
  does not say whether it is correct, is *unknown*: it counts in `total` and nowhere else.
* Tasks are ordered by id and samples by trajectory id, so that nothing depends on the order of finishing.
* Of a trajectory only a small row is kept, so that an evaluation of any size can be summarised from its file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.core.errors import DataError
from assay.core.message import text_of
from assay.core.trajectory import EpisodeStatus, Trajectory

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """What statistics need of one episode."""

    id: str
    correct: bool | None
    reward: float | None
    answer: str | None
    """What the verifier extracted."""
    parts: dict[str, float]
    """Components of the reward that have a verdict, summed over the steps; empty for an unscored episode."""
    status: EpisodeStatus
    verdict: str
    """Status of the verdict, `none` when there is none."""
    reason: str
    """Why there is no verdict; empty when there is one."""
    tokens: int
    turns: int
    seconds: float
    tags: tuple[str, ...]
    difficulty: float | None
    prompt: int | None
    """Hash of the opening messages, good within one process; None when the episode did not even begin."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What the samples of one task agree on."""

    right: int
    """Votes for the right answer with the most votes."""
    wrong: int
    """Votes for the wrong answer with the most votes."""
    correct: bool
    """Whether the answer with the most votes is right. Of equals, the one given first wins."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Counts for each of T tasks, all arrays of shape [T]."""

    task_ids: tuple[str, ...]
    total: FloatArray
    """Samples played."""
    known: FloatArray
    """Samples whose outcome is known."""
    correct: FloatArray
    scored: FloatArray
    """Samples that have a reward."""
    reward: FloatArray
    """Sum of the rewards of the scored samples."""
    votes: tuple[Vote | None, ...]
    """None for a task none of whose samples has an answer to vote with and a known outcome."""
    first: tuple[bool | None, ...]
    """Outcome of the first sample."""
    samples: tuple[tuple[Row, ...], ...]

    def __len__(self) -> int:
        return len(self.task_ids)


def collect_outcomes(trajectories: Iterable[Trajectory]) -> Outcomes:
    """Group trajectories by task and count. `DataError` when there are none."""
    by_task: dict[str, list[Row]] = {}
    for trajectory in trajectories:
        by_task.setdefault(trajectory.task_id, []).append(_row(trajectory))
    if not by_task:
        raise DataError("there are no trajectories to summarise")
    ids = sorted(by_task)
    samples = tuple(tuple(sorted(by_task[task_id], key=_by_id)) for task_id in ids)
    known, correct, scored, reward, votes, first = [], [], [], [], [], []
    for group in samples:
        outcomes = [row.correct for row in group]
        rewards = [row.reward for row in group if row.reward is not None]
        known.append(len(outcomes) - outcomes.count(None))
        correct.append(outcomes.count(True))
        scored.append(len(rewards))
        reward.append(sum(rewards))
        votes.append(_vote(group, outcomes))
        first.append(outcomes[0])
    return Outcomes(
        tuple(ids),
        np.array([len(group) for group in samples], np.float64),
        np.array(known, np.float64),
        np.array(correct, np.float64),
        np.array(scored, np.float64),
        np.array(reward, np.float64),
        tuple(votes),
        tuple(first),
        samples,
    )


def _by_id(row: Row) -> str:
    return row.id


def _row(trajectory: Trajectory) -> Row:
    verdict, scored = trajectory.verdict, trajectory.scored
    parts: dict[str, float] = {}
    for step in trajectory.steps if scored else ():
        for name, value in step.parts.items():
            if value is not None:
                parts[name] = parts.get(name, 0.0) + value
    correct, reason = trajectory.correct, ""
    if correct is None:
        reason = trajectory.error or (verdict.reason if verdict is not None else "") or "no reason recorded"
    return Row(
        id=trajectory.id,
        correct=correct,
        reward=trajectory.reward,
        answer=verdict.extracted if verdict is not None else None,
        parts=parts,
        status=trajectory.status,
        verdict=verdict.status if verdict is not None else "none",
        reason=reason,
        tokens=trajectory.output_tokens,
        turns=len(trajectory.steps),
        seconds=trajectory.seconds,
        tags=trajectory.tags,
        difficulty=trajectory.difficulty,
        prompt=hash(tuple((m["role"], text_of(m)) for m in trajectory.opening)) if trajectory.opening else None,
    )


def _vote(group: Sequence[Row], outcomes: Sequence[bool | None]) -> Vote | None:
    counts: dict[str, int] = {}
    rights: dict[str, int] = {}
    for row, outcome in zip(group, outcomes, strict=True):
        if row.answer is not None and outcome is not None:
            counts[row.answer] = counts.get(row.answer, 0) + 1
            rights[row.answer] = rights.get(row.answer, 0) + outcome
    if not counts:
        return None
    # The same answer may be judged differently (a verifier that also looks at the working): its majority decides.
    is_right = {answer: 2 * rights[answer] > n for answer, n in counts.items()}
    winner = max(counts, key=counts.__getitem__)  # the first of equals: dictionaries keep the order of arrival
    return Vote(
        right=max((n for answer, n in counts.items() if is_right[answer]), default=0),
        wrong=max((n for answer, n in counts.items() if not is_right[answer]), default=0),
        correct=is_right[winner],
    )
