"""The local sandbox: refusals, replacements, strategies, nothing left behind."""

import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import pytest

from assay.core.errors import ConfigError
from assay.sandboxes import Job, Limits, LocalSandbox, Tier
from tests.sandboxes.processes import children, slot_processes

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")
SHORT = Limits(cpu_seconds=1, wall_seconds=0.3)


@pytest.mark.parametrize(
    ("source", "status", "code"),
    [
        ("print(6 * 7)", "ok", 0),
        ("raise SystemExit(3)", "nonzero", 3),
        ("raise SystemExit('no')", "nonzero", 1),
        ("1 / 0", "nonzero", 1),
        ("def f(:", "nonzero", 1),
        ("import os; os.kill(os.getpid(), 11)", "signal", None),
        ("bytearray(1 << 40)", "memory_limit", 1),
        ("import time; time.sleep(9)", "wall_limit", None),
        ("print('x' * (1 << 21))", "output_limit", 0),
    ],
)
def test_status_says_how_it_ended(sandbox, source, status, code):
    limits = SHORT if "sleep" in source else Limits()
    result = sandbox.run(Job(source=source, limits=limits))
    assert (result.status, result.exit_code) == (status, code), result


def test_a_program_that_sleeps_ends_at_the_wall_limit_that_follows_from_its_cpu_limit(sandbox):
    result = sandbox.run(Job(source="import time; time.sleep(600)", limits=Limits(cpu_seconds=0.1)))
    assert (result.status, result.signal) == ("wall_limit", 9)


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../b", "", "a//b", "a\0b"])
def test_file_names_stay_inside(name):
    with pytest.raises(ConfigError, match="relative path"):
        Job(files={name: b""})


def test_nothing_crosses_from_job_to_job():
    with LocalSandbox(1, min_tier=Tier.FILTERED) as sandbox:
        sandbox.run(Job(source="import os, sys\nopen('a', 'w').write('x')\nsys.leak = 1\nos.environ['LEAK'] = '1'"))
        look = "import os, sys\nprint(os.listdir('.'), hasattr(sys, 'leak'), 'LEAK' in os.environ)"
        assert sandbox.run(Job(source=look)).text == "[] False False\n"


def test_a_weak_tier_is_refused_with_what_is_missing():
    with LocalSandbox(1, strategies=["plain"], min_tier=Tier.NAMESPACES) as sandbox:
        with pytest.raises(ConfigError, match=r"reaches tier 2 .*min_tier is 3.*namespaces: not tried"):
            sandbox.run(Job(source="pass"))
        assert sandbox.capabilities().tier == Tier.FILTERED


def test_settings_that_make_no_sense():
    with pytest.raises(ConfigError, match="unknown preload set"):
        LocalSandbox(preload="pandas")
    with pytest.raises(ConfigError, match="at least one slot"):
        LocalSandbox(0)
    for wrong in ({"cpu_seconds": 0}, {"wall_seconds": 1e300}, {"disk_bytes": 2**63}, {"processes": 2**22}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            Limits(**wrong)


def test_a_killed_slot_costs_an_attempt_not_a_result():
    with LocalSandbox(1, min_tier=Tier.FILTERED) as sandbox:
        sandbox.run(Job(source="pass"))
        (slot,), (process,) = sandbox._pool._all, slot_processes(sandbox)

        def kill():
            while not children(process):
                time.sleep(0.01)
            signal.pidfd_send_signal(slot._pidfd, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        result = sandbox.run(Job(source="import time; time.sleep(3); print('done')"))
        killer.join()
        assert (result.status, result.text, result.attempts) == ("ok", "done\n", 2)


def test_a_killed_zygote_is_replaced():
    with LocalSandbox(2, min_tier=Tier.FILTERED) as sandbox:
        sandbox.run(Job(source="pass"))
        sandbox._pool.source._zygote._process.kill()
        sandbox._pool.source._zygote._process.wait()
        slow = Job(source="import time; time.sleep(0.3)")  # both slots busy: the second one must be made
        assert [r.status for _, r in sandbox.run_many([slow] * 3)] == ["ok"] * 3


def test_close_leaves_nothing():
    sandbox = LocalSandbox(2, min_tier=Tier.FILTERED)
    sandbox.run(Job(source="pass"))
    (slot,) = sandbox._pool._all
    zygote = sandbox._pool.source._zygote._process
    boxes = sandbox._pool.source._boxes
    group = slot.group
    sandbox.close()
    sandbox.close()
    assert zygote.poll() is not None
    assert not boxes.exists()
    assert group is None or not group._memory.exists()
    assert sandbox.run(Job(source="pass")).status == "internal_error"


def test_no_zombie_is_left_to_the_first_process():
    with LocalSandbox(1, min_tier=Tier.FILTERED) as sandbox:
        sandbox.run(Job(source="pass"))
        (slot,) = sandbox._pool._all
        zygote = sandbox._pool.source._zygote._process.pid
        slot.close()
        while children(zygote):  # ends, if the promise is kept: the test's own time limit is the deadline
            time.sleep(0.01)


@pytest.mark.parametrize("strategies", [["user"], ["plain"], None])
def test_every_strategy_runs_jobs(strategies):
    with LocalSandbox(1, strategies=strategies, min_tier=Tier.LIMITS) as sandbox:
        assert sandbox.run(Job(source="print('ok')")).text == "ok\n"
        deep = "import os\nfor _ in range(1200):\n    os.mkdir('d'); os.chdir('d')"
        assert sandbox.run(Job(source=deep)).ok
        assert sandbox.run(Job(source="import os; print(os.listdir('.'))")).text == "[]\n"


STATE = """
import ctypes, os, signal
PR_GET_SECCOMP = 21
print(ctypes.CDLL(None).prctl(PR_GET_SECCOMP), signal.pthread_sigmask(signal.SIG_BLOCK, []), os.listdir())
open("x", "w")
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the filter is for x86_64")
@pytest.mark.parametrize("strategies", [["user"], ["plain"], None])
def test_every_job_has_a_filter_no_blocked_signals_and_a_fresh_box(strategies):
    """Also when its slot has handed the filter down, which comes after the first few."""
    with LocalSandbox(1, strategies=strategies, min_tier=Tier.LIMITS) as sandbox:
        for number in range(40):
            limits = Limits(disk_bytes=2**20 * (1 + number // 30))
            assert sandbox.run(Job(source=STATE, limits=limits)).text == "2 set() []\n"


FORKS = """
import os, time
for forks in range(20):
    try:
        if os.fork() == 0: time.sleep(600)
    except OSError: break
print(forks)
"""


@pytest.mark.parametrize("strategies", [["root"], ["user"]])
def test_a_job_has_as_many_processes_as_its_limit_says(strategies):
    """Also where the kernel counts the slot's with them."""
    with LocalSandbox(1, strategies=strategies, min_tier=Tier.NONE) as sandbox:
        result = sandbox.run(Job(FORKS, limits=Limits(processes=4)))
        if result.fault or (result.tier < Tier.CGROUPS and strategies == ["user"] and os.getuid() == 0):
            pytest.skip(result.reason or "the kernel does not limit root's processes")
        assert result.text == "3\n"


ORPHANS = """
import os, time
made = 0
while made < 40:
    if os.fork() == 0:
        try: os.fork()
        except OSError: os._exit(1)
        os._exit(0)
    if os.wait()[1]: time.sleep(0.01)  # refused: those that have ended count until they are reaped
    else: made += 1
print("ok")
"""


@pytest.mark.parametrize("strategies", [["user"], ["plain"], None])
def test_orphans_that_have_ended_count_no_longer(strategies):
    """Commands in the background must not use up the processes of a session."""
    with LocalSandbox(1, strategies=strategies, min_tier=Tier.NONE) as sandbox:
        assert sandbox.run(Job(ORPHANS, limits=Limits(processes=8, wall_seconds=30))).text == "ok\n"


def test_a_slot_keeps_the_score_by_which_the_kernel_kills_for_want_of_memory():
    own = Path("/proc/self/oom_score_adj")
    before = own.read_text()
    try:
        own.write_text("300")
        with LocalSandbox(1, min_tier=Tier.FILTERED) as sandbox:
            score = sandbox.run(Job("print(open('/proc/self/oom_score_adj').read())")).text.strip()
            if sandbox.capabilities().tier < Tier.CGROUPS:
                pytest.skip("memory is not counted here")
            (process,) = slot_processes(sandbox)
            assert (score, Path(f"/proc/{process}/oom_score_adj").read_text()) == ("1000", "300\n")
    finally:
        own.write_text(before)


@pytest.mark.parametrize("strategies", [["root"], ["user"]])
def test_jobs_have_no_capabilities(strategies):
    with LocalSandbox(1, strategies=strategies, min_tier=Tier.NONE) as sandbox:
        job = Job(
            source="print([line.split()[1] for line in open('/proc/self/status') if line[:4] in ('CapP', 'CapE')])"
        )
        result = sandbox.run(job)
        if result.status == "internal_error":
            pytest.skip(result.reason)
        assert result.text == "['0000000000000000', '0000000000000000']\n"


def test_tmp_can_be_written_to_beside_an_interpreter_that_lives_there():
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        tree = Path(folder, "deep", "tree")
        tree.mkdir(parents=True)
        (tree / "file").write_text("kept")
        Path(folder).chmod(0o755)
        with LocalSandbox(1, extra_trees=[str(tree)], min_tier=Tier.FILTERED) as sandbox:
            if sandbox.capabilities().tier < Tier.NAMESPACES:
                pytest.skip("no root directory of the sandbox's own here")
            source = (
                "import os, tempfile\n"
                f"assert open({str(tree / 'file')!r}).read() == 'kept'\n"
                "assert not os.path.exists('/tmp/x')\n"
                f"for name in ('/tmp/x', '/tmp/y', {str(tree / 'evil')!r}, {str(tree.parent / 'evil')!r}):\n"
                "    try: open(name, 'w').write('x'); print('wrote')\n"
                "    except OSError: print('refused')"
            )
            for _ in range(2):
                result = sandbox.run(Job(source=source))
                assert result.text.split() == ["wrote", "wrote", "refused", "refused"], result
        assert [path.name for path in tree.iterdir()] == ["file"]
