"""What a caller that was killed leaves behind, the next one removes; what is in use stays."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.sandboxes import Job, Limits, LocalSandbox, Tier
from assay.sandboxes.local import cgroups
from assay.sandboxes.local.source import remove_leftovers
from tests.sandboxes.processes import children, slot_processes


def aged(path: Path) -> Path:
    os.utime(path, (time.time() - 3600,) * 2)
    return path


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory for temporary files that no other process looks into."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture
def hierarchy() -> cgroups.Hierarchy:
    """Return where control groups can be made."""
    try:
        return cgroups.find()
    except OSError as error:
        pytest.skip(f"no control groups: {error}")


BOMB = """
import os, sys, time
sys.stdin.read(1)
end = time.monotonic() + 20  # also where nobody kills it
while time.monotonic() < end:
    try: os.fork()
    except OSError: pass
"""


@contextlib.contextmanager
def bomb(group: cgroups.SlotGroup, processes: int) -> Iterator[None]:
    """Fill a group with processes that go on to fork."""
    group.limit(256 * 2**20, processes)
    with subprocess.Popen([sys.executable, "-S", "-c", BOMB], stdin=subprocess.PIPE) as first:
        group.join(first.pid)
        assert first.stdin is not None
        first.stdin.close()
        while len(members(group)) < processes:
            assert first.poll() is None
        yield


def members(group: cgroups.SlotGroup) -> list[str]:
    """Return the processes of a group."""
    return (group._pids / "cgroup.procs").read_text().split()


def test_a_group_takes_its_processes_with_it(hierarchy: cgroups.Hierarchy) -> None:
    group = cgroups.SlotGroup(hierarchy)
    with bomb(group, 12):
        group.remove()
        assert not group._pids.exists() and not group._memory.exists()


def test_groups_of_a_caller_that_is_gone_are_removed_with_what_runs_in_them(
    hierarchy: cgroups.Hierarchy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 2**22 + 1)  # above all process ids
    group = cgroups.SlotGroup(hierarchy)
    monkeypatch.undo()
    with bomb(group, 12):
        hierarchy.reap()
        assert not group._pids.exists() and not group._memory.exists()


@pytest.mark.parametrize("strategies", [None, ["plain"]])
def test_a_job_that_uses_up_its_processes_can_still_be_killed(strategies: list[str] | None) -> None:
    source = """
import os, time
for _ in range(40):
    try:
        if os.fork() == 0: time.sleep(600)
    except OSError: pass
"""
    with LocalSandbox(1, strategies=strategies, min_tier=Tier.NONE) as sandbox:
        for _ in range(5):
            result = sandbox.run(Job(source, limits=Limits(processes=8)))
            assert not result.fault and result.attempts == 1
            assert children(slot_processes(sandbox)[0]) == []


def test_only_what_nobody_uses_is_removed(root: Path) -> None:
    dead = aged(Path(tempfile.mkdtemp(prefix="assay-boxes-")))
    young = Path(tempfile.mkdtemp(prefix="assay-boxes-"))
    with LocalSandbox(1) as sandbox:
        assert sandbox.run(Job("print(1)")).stdout == b"1\n"
        assert not dead.exists()
        (used,) = set(root.glob("assay-boxes-*")) - {young}
        aged(used)
        remove_leftovers()
        assert used.exists() and young.exists()
        assert sandbox.run(Job("print(2)")).stdout == b"2\n"
    assert set(root.glob("assay-boxes-*")) == {young}
