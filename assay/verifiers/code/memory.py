"""Verdicts of programs that were judged before, so that copies cost nothing.

Groups of a policy that has found a solution are full of copies. What a verdict could owe to a loaded machine (elapsed
time, faults) is not kept. Safe to share between threads; copies that come at the same time wait for the first one.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from assay.core.verdict import Verdict

_KEPT = 4096
_CERTAIN = frozenset({"passed", "wrong", "no value", "nonzero", "cpu_limit"})
"""Statuses of a test that another run would have as well."""

Key = tuple[str, ...]


class VerdictMemory:
    """The last few thousand verdicts, by what names task and program."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything, locks included."""
        self._known: OrderedDict[Key, tuple[Any, Verdict]] = OrderedDict()
        self._turns: dict[Key, tuple[threading.Lock, int]] = {}
        self._lock = threading.Lock()

    def recall(self, key: Key, target: Any, judge: Callable[[], Verdict]) -> Verdict:
        """Return the verdict on this key and target: the known one, or what `judge` returns."""
        with self._turn(key):
            with self._lock:
                known, verdict = self._known.get(key, (None, None))
            if verdict is not None and known == target:
                return verdict.with_(details={**verdict.details, "sandbox_seconds": 0.0})
            verdict = judge()
            if verdict.scored and _CERTAIN.issuperset(verdict.details["statuses"]):
                with self._lock:
                    self._known[key] = (target, verdict)
                    if len(self._known) > _KEPT:
                        self._known.popitem(last=False)
            return verdict

    @contextmanager
    def _turn(self, key: Key) -> Iterator[None]:
        """Let the same key in one at a time."""
        with self._lock:
            turn, waiting = self._turns.get(key, (threading.Lock(), 0))
            self._turns[key] = turn, waiting + 1
        try:
            with turn:
                yield
        finally:
            with self._lock:
                turn, waiting = self._turns.pop(key)
                if waiting > 1:
                    self._turns[key] = turn, waiting - 1


SHARED = VerdictMemory()
"""Of all verifiers that use the sandbox of this process: each environment has a verifier of its own."""
os.register_at_fork(after_in_child=SHARED.clear)  # a lock may have been held by a thread that the child does not have
