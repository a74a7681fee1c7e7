"""What a caller that was killed leaves behind, the next one removes; what is in use stays."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from assay.sandboxes import Job, Limits, LocalSandbox, Tier
from assay.sandboxes.local import cgroups, identities
from assay.sandboxes.local.source import remove_leftovers
from tests.sandboxes.processes import alive, children, parent, slot_processes, tree


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


DAEMONS = """
import os, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0: os.setsid()
        time.sleep(600)
"""
KILLED = f"""
import os, sys, time
from assay.sandboxes import LocalSandbox, Tier
from assay.sandboxes.local import cgroups
from tests.sandboxes.processes import children, slot_processes, tree
def find(): raise OSError("switched off")
cgroups.find = find
sandbox = LocalSandbox(1, strategies=sys.argv[1:] or None, min_tier=Tier.NONE)
session = sandbox.session()
session.execute({DAEMONS!r})
(slot,) = filter(children, slot_processes(sandbox))
while len(tree(slot)) < 8: time.sleep(0.01)
if os.fork() == 0: time.sleep(600)  # has copies of all descriptors
print(sandbox._pool.source._zygote._process.pid, *tree(slot), flush=True)
time.sleep(600)
"""


def await_end(processes: Iterable[int]) -> None:
    """Wait until none of them lives: the test's own time limit is the deadline."""
    while any(map(alive, processes)):
        time.sleep(0.01)


def busy_slot(sandbox: LocalSandbox) -> int:
    """Return the process of the slot that a session runs in."""
    (slot,) = filter(children, slot_processes(sandbox))
    return slot


@pytest.mark.parametrize("victim", ["slot", "parent"])
@pytest.mark.parametrize("strategies", [["user"], ["plain"], None])
def test_a_slot_that_is_killed_takes_its_job_with_it(
    strategies: list[str] | None, victim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when what is killed is its parent, the first process of its namespaces."""

    def find() -> None:
        raise OSError("switched off")

    monkeypatch.setattr(cgroups, "find", find)
    with LocalSandbox(1, strategies=strategies, min_tier=Tier.NONE) as sandbox:
        session = sandbox.session()
        assert session.execute(DAEMONS).status == "ok"
        slot = busy_slot(sandbox)
        while len(running := tree(slot)) < 8:
            time.sleep(0.01)
        if victim == "parent":
            zygote = sandbox._pool.source._zygote._process.pid
            if parent(slot) == zygote or sandbox.capabilities().tier < Tier.NAMESPACES:
                pytest.skip("this slot can do without its parent")
        os.kill(slot if victim == "slot" else parent(slot), signal.SIGKILL)
        await_end(running)
        assert session.execute("1").status == "dead"
        session = sandbox.session()
        assert session.execute(DAEMONS).status == "ok"
        running = tree(busy_slot(sandbox))
    assert not [process for process in running if alive(process)]


@pytest.mark.parametrize("strategies", [["plain"], []])
def test_a_caller_that_is_killed_takes_all_with_it_but_its_own_forks(strategies: list[str]) -> None:
    command = [sys.executable, "-c", KILLED, *strategies]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        running = [int(pid) for pid in caller.stdout.readline().split()]
        (fork,) = set(children(caller.pid)) - set(running)
        caller.kill()
        await_end(running)
        os.kill(fork, signal.SIGKILL)


def test_slots_never_share_user_ids() -> None:
    first, second = identities.take(), identities.take()
    assert abs(first - second) >= 2
    identities.give_back(first)
    assert identities.take() == first
    identities.give_back(first)
    identities.give_back(second)


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
