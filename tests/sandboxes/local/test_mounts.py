"""Slots and zygotes that are killed, also while a slot is being made, leave no mount with the caller."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="a mount namespace of the test's own needs root")
SCRIPT = """
import contextlib, os, threading
from pathlib import Path
from assay.sandboxes import Job, LocalSandbox
from assay.sandboxes.local.agent import linux

linux.unshare(linux.CLONE_NEWNS)
linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)  # what others mount meanwhile does not count
linux.mount("none", "/", None, linux.MS_REC | linux.MS_SHARED)  # what a slot would fail to keep to itself, does
before = Path("/proc/self/mounts").read_text()
over = threading.Event()

def kill(sandbox):
    while not over.wait(0.02):
        zygote = sandbox._pool.source._zygote._process.pid
        with contextlib.suppress(OSError):
            making = Path(f"/proc/{zygote}/task/{zygote}/children").read_text().split()
            for pid in making[-1:]:
                os.kill(int(pid), 9)

with LocalSandbox(2) as sandbox:
    sandbox.check()
    killer = threading.Thread(target=kill, args=(sandbox,))
    killer.start()
    for number in range(40):
        sandbox.run(Job(source="open('x', 'w')"))
        if number % 10 == 9:
            sandbox._pool.source._zygote._process.kill()
    over.set()
    killer.join()
left = set(Path("/proc/self/mounts").read_text().splitlines()) - set(before.splitlines())
assert not left, f"mounts were left behind: {left}"
print("clean")
"""


def test_kills_leave_no_mount():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=280, check=False)
    assert done.stdout == "clean\n", done.stderr
