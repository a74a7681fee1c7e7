"""Pick transcripts that show what changed: the same tasks, before and after, side by side.

Invariants:

* What is shown is typical, not the best: of a task's samples, one whose outcome is that of the majority.
* Failures are shown too, and what is cut for length says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from assay.core.message import Message, text_of
from assay.core.trajectory import Trajectory

MOST_CHARACTERS = 4000
MOST_TURNS = 40


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
    note: str
    """How many of the task's samples were right."""
    reason: str
    turns: list[Turn]


@dataclass(frozen=True, slots=True)
class Pair:
    """One task with the episodes to compare."""

    task: str
    label: str
    """Why it is shown, such as `learned`."""
    opening: list[Turn]
    """The task as the agent was given it; empty when the episodes began differently and show it themselves."""
    sides: list[Side]


def before_and_after(
    before: Sequence[Trajectory], after: Sequence[Trajectory], labels: tuple[str, str], most: int = 8
) -> list[Pair]:
    """Return the tasks whose success rate rose most, one episode of each side.

    The last quarter of the pairs are tasks that got worse or stayed wrong, where there are any.
    """
    old, new = _by_task(before), _by_task(after)
    gains = sorted((task for task in old if task in new), key=lambda task: _rate(old[task]) - _rate(new[task]))
    failures = [task for task in reversed(gains) if _rate(new[task]) < 0.5][: most // 4]
    best = [task for task in gains if task not in failures][: most - len(failures)]
    return [
        _pair(task, _label(_rate(old[task]), _rate(new[task])), [(old[task], labels[0]), (new[task], labels[1])])
        for task in best + failures
    ]


def samples(episodes: Sequence[Trajectory], most: int = 8) -> list[Pair]:
    """Return tasks of one evaluation, those first where some samples are right and some are not: one of each."""
    tasks = sorted(_by_task(episodes).items(), key=lambda item: abs(_rate(item[1]) - 0.5))
    pairs = []
    for task, members in tasks[:most]:
        right = [member for member in members if member.correct]
        wrong = [member for member in members if not member.correct]
        pairs.append(_pair(task, "", [(side, "episode") for side in (right, wrong) if side], members))
    return pairs


def _pair(
    task: str, label: str, sides: list[tuple[list[Trajectory], str]], members: list[Trajectory] | None = None
) -> Pair:
    chosen = [(_typical(episodes), episodes, when) for episodes, when in sides]
    openings = [_turns(episode.opening) for episode, _, _ in chosen]
    shared = openings[0] if all(opening == openings[0] for opening in openings) else []
    return Pair(task, label, shared, [_side(e, when, members or group, bool(shared)) for e, group, when in chosen])


def _label(before: float, after: float) -> str:
    if after >= 0.5:
        return "learned" if before < 0.5 else "still right"
    return "lost" if before >= 0.5 else "still wrong"


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


def _side(episode: Trajectory, when: str, members: Sequence[Trajectory], skip_opening: bool) -> Side:
    outcome, css = {True: ("correct", "good"), False: ("wrong", "bad"), None: ("no verdict", "soft")}[episode.correct]
    if episode.reward is not None:
        outcome += f", reward {episode.reward:g}"
    note = f"{sum(member.correct is True for member in members)} of {len(members)} samples right"
    reason = episode.error or (episode.verdict.reason if episode.verdict is not None else "")
    turns = _turns(episode.messages[len(episode.opening) :] if skip_opening else episode.messages)
    return Side(when, outcome, css, note, reason, turns)


def _turns(messages: Sequence[Message]) -> list[Turn]:
    turns = [Turn(message["role"], _shortened(text_of(message))) for message in messages[:MOST_TURNS]]
    if len(messages) > MOST_TURNS:
        turns.append(Turn("note", f"{len(messages) - MOST_TURNS} more messages are not shown"))
    return turns


def _shortened(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]}\n[{len(text) - MOST_CHARACTERS} more characters are not shown]"
