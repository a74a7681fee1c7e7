"""Functions that modules want run after a fork: kept for the forks that jobs make, left out of those that we make.

What the standard library registers (threading, random, logging) repairs a process whose parent had threads. A slot has
none, and running it would be most of the price of a job. So they are collected while modules are imported, and each
job registers them for itself. One effect is wanted in every job, and `enter_job` brings it about: random numbers that
are its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

_register = os.register_at_fork
_kept: list[dict[str, Callable[[], object]]] = []


def collect() -> None:
    """Keep what is registered from now on."""
    os.register_at_fork = _keep  # type: ignore[assignment]


def stop_collecting() -> None:
    """Let registrations take effect again."""
    os.register_at_fork = _register


def enter_job() -> None:
    """Make this forked process one whose own forks behave as in any interpreter."""
    for functions in _kept:
        _register(**functions)
    if "random" in sys.modules:
        sys.modules["random"].seed()


def _keep(**functions: Callable[[], object]) -> None:
    _kept.append(functions)
