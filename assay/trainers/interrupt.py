"""Stopping a run between two steps: the first Ctrl-C (or SIGTERM) asks, the second one insists.

An interrupt in the middle of an optimiser step would leave weights that no checkpoint may hold. So the first signal
only sets a flag that the loop reads between steps; the second one raises `KeyboardInterrupt` at once.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class StopSignal:
    """Catches SIGINT and SIGTERM for the time of a `with` block. Outside the main thread it catches nothing."""

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
