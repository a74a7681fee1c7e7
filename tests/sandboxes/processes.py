"""What belongs to one sandbox, for tests that must not be misled by whatever else this process or machine has."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from assay.sandboxes.slotted import SlotSandbox


def descriptors() -> Counter[str]:
    """Count this process's descriptors by what they lead to; sockets and pipes by their own names."""
    found: Counter[str] = Counter()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found[str(entry.readlink())] += 1
        except OSError:
            continue  # the one that lists the directory
    return found


def slot_processes(sandbox: SlotSandbox) -> list[int]:
    """Return the process ids of the slots that are open, as this process sees them."""
    assert sandbox._pool is not None
    handles = [Path(f"/proc/self/fdinfo/{slot._pidfd}").read_text() for slot in sandbox._pool._all]
    return [int(text.split("Pid:")[1].split()[0]) for text in handles]


def tree(process: int) -> list[int]:
    """Return a process and all below it."""
    return [process, *(below for child in children(process) for below in tree(child))]


def alive(process: int) -> bool:
    """Whether a process runs, or could."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children(process: int) -> list[int]:
    """Return the process ids of the children, of which a slot has none but those of its job."""
    return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def parent(process: int) -> int:
    """Return the process id of the parent."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
