"""Forking a job: the system call alone.

`os.fork` also repairs a child whose parent had threads, and runs what modules registered for that. A slot has no
threads, and the repair would be a good part of the price of a job. What is registered stays so, for the forks that jobs
make themselves. One effect is wanted in every job, and `enter_job` brings it about: random numbers that are its own.
"""

from __future__ import annotations

import _random
import ctypes
import os
import sys

_libc = ctypes.PyDLL(None, use_errno=True)  # keeps the interpreter's lock: there is nobody to give it to


def fork() -> int:
    """Fork this process, which must have one thread; return as `os.fork` does. Raises `OSError`."""
    pid: int = _libc.fork()
    if pid < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"fork: {os.strerror(number)}")
    return pid


def enter_job() -> None:
    """Give this forked process random numbers of its own.

    As `random.seed()` does it, whose way there, through Python, would write to six times as many pages.
    """
    if "random" in sys.modules:
        _random.Random.seed(sys.modules["random"]._inst)
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
