"""A progress bar for episodes, on stderr, and only where a person is watching."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from assay.core.trajectory import Trajectory

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class EpisodeProgress:
    """Counts finished episodes, with the share that is right and the number without a verdict.

    `enabled=None` shows the bar when stderr is a terminal. When it is off, nothing is drawn and rich is not loaded;
    the counts are kept all the same.
    """

    def __init__(self, total: int | None = None, label: str = "episodes", *, enabled: bool | None = None) -> None:
        self.label, self.total = label, total
        self.done = self.right = self.unscored = 0
        self._enabled = sys.stderr.isatty() if enabled is None else enabled
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if self._enabled:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[status]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._task = self._bar.add_task(self.label, total=self.total, status="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def advance(self, trajectory: Trajectory) -> None:
        """Count one finished episode."""
        self.done += 1
        self.right += trajectory.correct is True
        self.unscored += not trajectory.scored
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1, status=self.status)

    @property
    def status(self) -> str:
        """What is known so far, in a few words."""
        scored = self.done - self.unscored
        right = f"{self.right / scored:.1%} right" if scored else ""
        unscored = f"{self.unscored} unscored" if self.unscored else ""
        return ", ".join(filter(None, (right, unscored)))
