"""What a training run tells while it works. The library prints nothing; the command line passes a reporter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


class Reporter(Protocol):
    """Follows a run. Rows are those of `metrics.jsonl`."""

    def on_phase(self, phase: str, done: int, total: int) -> None:
        """A phase begins (`warmstart`, `train`, `eval`), `done` of `total` steps behind it."""
        ...

    def on_progress(self, done: int) -> None:
        """`done` steps of the phase are behind it."""
        ...

    def on_row(self, row: Mapping[str, Any]) -> None:
        """A row of metrics was written."""
        ...

    def on_checkpoint(self, path: Path) -> None:
        """A checkpoint was written."""
        ...

    def on_notice(self, text: str) -> None:
        """There is something that the user should know: a caveat, an alarm."""
        ...


class SilentReporter:
    """Says nothing."""

    def on_phase(self, phase: str, done: int, total: int) -> None:
        """Ignore it."""

    def on_progress(self, done: int) -> None:
        """Ignore it."""

    def on_row(self, row: Mapping[str, Any]) -> None:
        """Ignore it."""

    def on_checkpoint(self, path: Path) -> None:
        """Ignore it."""

    def on_notice(self, text: str) -> None:
        """Ignore it."""
