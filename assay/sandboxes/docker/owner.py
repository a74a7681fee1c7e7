"""Who started a container: written into a label, so that what a killed process left behind is found and removed."""

from __future__ import annotations

import os
from pathlib import Path

LABEL = "assay.owner"


def identity(pid: int | None = None) -> str:
    """Return a text that no other process has, also after a restart: boot, process namespace, id, start time.

    Raises `OSError` when there is no such process.
    """
    pid = os.getpid() if pid is None else pid
    started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return f"{_machine()}/{pid}/{started}"


def gone(owner: str) -> bool:
    """Whether the owner was a process of this machine, in this process namespace or boot, and has ended."""
    machine, _, process = owner.rpartition("/")[0].rpartition("/")
    if not process.isdigit():
        return False
    if machine != _machine():  # another boot is over; another namespace of this boot cannot be judged from here
        return machine.partition("/")[0] != _boot()
    try:
        return identity(int(process)) != owner
    except OSError:
        return True


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _machine() -> str:
    return f"{_boot()}/{Path('/proc/self/ns/pid').stat().st_ino}"
