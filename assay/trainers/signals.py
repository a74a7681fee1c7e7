"""Early-warning signals: what goes wrong in a run before the held-out numbers show it.

Each signal reads the rows of training metrics and nothing else, so a report can find them again, and a resumed run
that reads its own rows goes on where it was. A signal that holds is told once, and again only after it has cleared.
Windows are means over `WINDOW` steps, so that one odd batch raises nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

WINDOW = 10
"""Steps in each of the two windows that are compared."""

Row = Mapping[str, Any]


class Signal(NamedTuple):
    """A condition on the run so far."""

    name: str
    test: Callable[["Windows"], str | None]
    """Returns what to tell, or None while all is well."""


class Windows:
    """Means of metrics: over the first steps, the ones before the last, and the last."""

    def __init__(self) -> None:
        self.first: list[Row] = []
        self.recent: deque[Row] = deque(maxlen=2 * WINDOW)

    def add(self, row: Row) -> None:
        """Take in the row of a step."""
        if len(self.first) < WINDOW:
            self.first.append(row)
        self.recent.append(row)

    def start(self, name: str) -> float | None:
        """Return the mean over the first steps, when there were enough."""
        return _mean(self.first, name)

    def before(self, name: str) -> float | None:
        """Return the mean over the window before the last."""
        return _mean(list(self.recent)[:WINDOW], name) if len(self.recent) == 2 * WINDOW else None

    def last(self, name: str) -> float | None:
        """Return the value of the last step."""
        return self.recent[-1].get(name)

    def now(self, name: str) -> float | None:
        """Return the mean over the last window."""
        return _mean(list(self.recent)[-WINDOW:], name)


def _mean(rows: list[Row], name: str) -> float | None:
    values = [float(row[name]) for row in rows if row.get(name) is not None]
    return sum(values) / len(values) if len(values) >= WINDOW // 2 else None


def _length_collapse(w: Windows) -> str | None:
    before, now = w.start("tokens_per_episode"), w.now("tokens_per_episode")
    was, reward = w.start("reward"), w.now("reward")
    if None in (before, now, was, reward) or now >= 0.5 * before or reward <= was:  # type: ignore[operator]
        return None
    return f"episodes shrank from {before:.0f} to {now:.0f} tokens while the reward rose: is there a short cut?"


def _divergence(w: Windows) -> str | None:
    reward, was = w.now("reward"), w.before("reward")
    right, before = w.now("correct"), w.before("correct")
    if None in (reward, was, right, before) or reward - was <= 0.02 or right - before >= -0.02:  # type: ignore[operator]
        return None
    return (
        f"the reward rises ({was:.3f} to {reward:.3f}) while fewer answers are right ({before:.3f} to {right:.3f}): "
        "something other than the task is being learned"
    )


def _entropy(w: Windows) -> str | None:
    before, now = w.start("entropy"), w.now("entropy")
    if before is None or now is None or now >= 0.1 * before:
        return None
    return f"entropy fell from {before:.3g} to {now:.3g} nats a token: the policy hardly explores any more"


def _room(w: Windows) -> str | None:
    share = max(w.last("out_of_room") or 0.0, w.now("out_of_room") or 0.0)
    whole_step = w.last("out_of_room") == 1.0  # which no odd batch explains
    if not whole_step and (w.now("out_of_room") or 0.0) <= 0.5:
        return None
    return f"{share:.0%} of episodes fill the model's context: raise model.max_positions, or shorten the episodes"


def _verdicts(w: Windows) -> str | None:
    unscored, episodes = w.last("unscored") or 0.0, w.last("episodes") or 0.0
    if not episodes or unscored < episodes:
        return None
    return "no episode has a verdict, so nothing is learned: trajectories/ says of each why"


def _above(name: str, bound: float, text: str) -> Callable[[Windows], str | None]:
    def test(w: Windows) -> str | None:
        now = w.now(name)
        return None if now is None or now <= bound else text.format(now)

    return test


def _below(name: str, bound: float, text: str) -> Callable[[Windows], str | None]:
    def test(w: Windows) -> str | None:
        now = w.now(name)
        return None if now is None or now >= bound else text.format(now)

    return test


SIGNALS = (
    Signal("length", _length_collapse),
    Signal("divergence", _divergence),
    Signal("entropy", _entropy),
    Signal(
        "mismatch",
        _above("mismatch_kl", 0.02, "engine and trainer disagree (KL {:.3g} a token): consider algorithm.correction"),
    ),
    Signal("forks", _above("forks", 0.05, "{:.0%} of turns started a new token stream: check the chat template")),
    Signal(
        "zero_std",
        _below("mixed", 0.05, "only {:.0%} of groups have answers that earn differently: change the difficulty"),
    ),
    Signal("limits", _above("truncated", 0.5, "{:.0%} of episodes hit a limit of turns, tokens or time")),
    Signal("room", _room),
    Signal("verdicts", _verdicts),
    Signal("critic", _below("explained_variance", -1.0, "the critic explains less than nothing (variance {:.2f})")),
    Signal("skipped", _above("skipped", 0.2, "{:.0%} of updates are skipped: their gradients are not finite")),
)


class Alerts:
    """Follows a run and tells each signal once, as it comes up."""

    def __init__(self) -> None:
        self._windows = Windows()
        self._raised: set[str] = set()

    def observe(self, row: Row) -> list[str]:
        """Take in a row of training metrics and return what is new to tell."""
        self._windows.add(row)
        found = {signal.name: text for signal in SIGNALS if (text := signal.test(self._windows)) is not None}
        new = [f"step {row['step']}: {text}" for name, text in found.items() if name not in self._raised]
        self._raised = set(found)
        return new
