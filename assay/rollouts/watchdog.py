"""Who holds up the event loop? A thread that says so, since the loop itself cannot.

Environments that say that they never wait (`blocking = False`) are called on the loop. One that hangs there, or its
verifier, stops every episode of the run. The call cannot be ended from outside, but it can be named.

Invariants: the watched call costs two readings of the clock, and no thread of its own; a function that holds the loop
is named once. What keeps the interpreter's lock to itself (a regular expression that backtracks) is named afterwards.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from assay.core.errors import place_in

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds that a call may hold the loop before it is named."""


class _Held(NamedTuple):
    who: str
    since: float
    thread: int

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since


class Watchdog:
    """Watches the calls of one event loop."""

    def __init__(self) -> None:
        self._held: _Held | None = None
        self._named: _Held | None = None
        """The last call that was named while it was under way."""
        self._told: set[tuple[str, str]] = set()
        self._ended: threading.Event | None = None

    def call(self, who: str, function: Callable[[], T]) -> T:
        """Call `function`, which is `who` to the user."""
        if self._ended is None:
            self._ended = threading.Event()
            threading.Thread(target=self._watch, args=(self._ended,), name="assay-watchdog", daemon=True).start()
        held = self._held = _Held(who, time.monotonic(), threading.get_ident())
        try:
            return function()
        finally:
            self._held = None
            if held.seconds >= PATIENCE and self._named is not held:
                self._tell(held, None)

    def close(self) -> None:
        """Let the thread end. A later call begins anew."""
        if self._ended is not None:
            self._ended.set()
            self._ended = None

    def _watch(self, ended: threading.Event) -> None:
        while not ended.wait(PATIENCE / 5):
            held = self._held
            if held is None or held.seconds < PATIENCE:
                continue
            frame = sys._current_frames().get(held.thread)
            place = place_in(traceback.extract_stack(frame)) if frame is not None else None
            if place is not None and self._held is held:
                self._named = held
                self._tell(held, place)

    def _tell(self, held: _Held, place: traceback.FrameSummary | None) -> None:
        named = (held.who, place.name if place else "")
        if named in self._told:
            return
        self._told.add(named)
        where = f", now in {place.name} ({Path(place.filename).name}:{place.lineno})" if place else ""
        logger.warning(
            "%s has held up all episodes for %.0f s%s. What may take long needs `blocking = True` on the environment, "
            "for a thread and a time limit; a verifier that may hang, a process of its own (`isolated`)",
            *(held.who, held.seconds, where),
        )
