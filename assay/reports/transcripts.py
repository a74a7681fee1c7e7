"""Pick transcripts that show what changed: the same tasks, before and after, side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from assay.core.message import text_of
from assay.core.trajectory import Trajectory


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a transcript."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Side:
    """One episode."""

    when: str
    outcome: str
    css: str
    reason: str
    turns: list[Turn]


@dataclass(frozen=True, slots=True)
class Pair:
    """One task with the episodes to compare."""

    task: str
    sides: list[Side]


def before_and_after(
    before: Sequence[Trajectory], after: Sequence[Trajectory], labels: tuple[str, str], most: int = 6
) -> list[Pair]:
    """Return tasks whose success rate rose most, one episode of each side: a typical one, not the best one.

    Typical is the first sample whose outcome is that of the majority of the task's samples. The last third of the
    pairs are tasks that got worse or stayed wrong, where there are any, so that failures are seen too.
    """
    old, new = _by_task(before), _by_task(after)
    shared = [task for task in old if task in new]
    gains = sorted(shared, key=lambda task: _rate(old[task]) - _rate(new[task]))
    failures = [task for task in reversed(gains) if _rate(new[task]) < 0.5][: most // 3]
    best = [task for task in gains if task not in failures][: most - len(failures)]
    return [
        Pair(task, [_side(_typical(old[task]), labels[0]), _side(_typical(new[task]), labels[1])])
        for task in best + failures
    ]


def samples(episodes: Sequence[Trajectory], most: int = 6) -> list[Pair]:
    """Return tasks of one evaluation, each with a right and a wrong episode where both exist."""
    pairs = []
    for task, members in _by_task(episodes).items():
        right = [m for m in members if m.correct]
        wrong = [m for m in members if not m.correct]
        chosen = [*right[:1], *wrong[:1]]
        pairs.append((len(chosen), Pair(task, [_side(m, "episode " + m.id.rpartition("#")[2]) for m in chosen])))
    pairs.sort(key=lambda pair: -pair[0])
    return [pair for _, pair in pairs[:most]]


def _by_task(episodes: Sequence[Trajectory]) -> dict[str, list[Trajectory]]:
    tasks: dict[str, list[Trajectory]] = defaultdict(list)
    for episode in episodes:
        tasks[episode.task_id].append(episode)
    return {task: sorted(members, key=lambda m: m.id) for task, members in sorted(tasks.items())}


def _rate(members: Sequence[Trajectory]) -> float:
    return sum(member.correct is True for member in members) / len(members)


def _typical(members: Sequence[Trajectory]) -> Trajectory:
    wanted = _rate(members) >= 0.5
    return next(member for member in members if (member.correct is True) is wanted)


def _side(episode: Trajectory, when: str) -> Side:
    outcome, css = {True: ("correct", "good"), False: ("wrong", "bad"), None: ("no verdict", "soft")}[episode.correct]
    if episode.reward is not None:
        outcome += f", reward {episode.reward:g}"
    reason = episode.error or (episode.verdict.reason if episode.verdict is not None else "")
    turns = [Turn(message["role"], text_of(message)) for message in episode.messages]
    return Side(when, outcome, css, reason, turns)
