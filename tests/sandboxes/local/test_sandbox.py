"""One job in, one true result out, whatever happens in between."""

import asyncio
import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assay.core.errors import ConfigError
from assay.sandboxes import Call, Job, Limits, LocalSandbox, Sandbox, Tier
from assay.sandboxes.local.agent import codec

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")
SHORT = Limits(cpu_seconds=1, wall_seconds=0.3)


@pytest.fixture(scope="module")
def sandbox():
    with LocalSandbox(2, min_tier=Tier.FILTERED) as sandbox:
        yield sandbox


def test_it_is_a_sandbox(sandbox):
    assert isinstance(sandbox, Sandbox)
    report = sandbox.capabilities()
    assert report.mechanisms["seccomp"] == "active"
    assert sandbox.run(Job(source="pass")).tier == report.tier


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


def test_cpu_time_of_the_whole_tree_counts(sandbox):
    burn = (
        "import os, time\nfor _ in range(3):\n    if os.fork() == 0:\n        while time.process_time() < 0.1: pass\n"
    )
    burn += "        os._exit(0)\nfor _ in range(3): os.wait()"
    assert sandbox.run(Job(source=burn, limits=Limits(cpu_seconds=0.25, wall_seconds=60))).status == "cpu_limit"
    assert sandbox.run(Job(source=burn, limits=Limits(cpu_seconds=5, wall_seconds=60))).status == "ok"


def test_tracebacks_show_the_program_alone(sandbox):
    stderr = sandbox.run(Job(source="def f():\n    return 1 / 0\nf()")).stderr.decode()
    assert "return 1 / 0" in stderr
    assert stderr.count("File ") == 2
    assert "job.py" not in stderr


def test_stdin_files_environment_and_fetch(sandbox):
    source = (
        "import os\nopen('out/b', 'w').write(input() + open('d/a').read() + os.environ['X'])\nos.symlink('out/b', 'l')"
    )
    job = Job(
        source=source,
        stdin=b"1",
        files={"d/a": b"2", "out/x": b""},
        env={"X": "3"},
        fetch=("out/b", "missing", "l", "out"),
    )
    assert sandbox.run(job).files == {"out/b": b"123", "missing": None, "l": None, "out": None}


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../b", "", "a//b", "a\0b"])
def test_file_names_stay_inside(name):
    with pytest.raises(ConfigError, match="relative path"):
        Job(files={name: b""})


def test_a_command(sandbox):
    assert sandbox.run(Job(argv=("/bin/sh", "-c", "echo $((6*7)); exit 4"))).exit_code == 4
    assert sandbox.run(Job(argv=("no-such-program",))).exit_code == 127
    script = Job(argv=("./s",), files={"s": b"#!/bin/sh\necho ok\n"})
    assert sandbox.run(script).text == "ok\n"


def test_a_call_returns_a_typed_value(sandbox):
    source = "def f(a, *, b): return {(a, 1.5): [b, {1, 2}, b'x', None, True]}"
    result = sandbox.run(Job(source=source, call=Call("f", (2**70,), {"b": "ü"})))
    (value,) = codec.from_json(json.loads(result.result)["value"]).items()
    assert value == ((2**70, 1.5), ["ü", {1, 2}, b"x", None, True])


def test_nothing_crosses_from_job_to_job():
    with LocalSandbox(1, min_tier=Tier.FILTERED) as sandbox:
        sandbox.run(Job(source="import os, sys\nopen('a', 'w').write('x')\nsys.leak = 1\nos.environ['LEAK'] = '1'"))
        look = "import os, sys\nprint(os.listdir('.'), hasattr(sys, 'leak'), 'LEAK' in os.environ)"
        assert sandbox.run(Job(source=look)).text == "[] False False\n"


def test_each_job_has_random_numbers_and_no_capabilities_of_its_own(sandbox):
    source = "import random\nprint(random.random(), [s for s in open('/proc/self/status') if s.startswith('Cap')][:3])"
    texts = {sandbox.run(Job(source=source)).text for _ in range(4)}
    assert len(texts) == 4
    for text in texts:
        assert text.count("0000000000000000") == 3, text


def test_jobs_may_fork_while_they_have_threads(sandbox):
    source = (
        "import os, threading\nlock = threading.Lock()\n"
        "def work():\n    with lock: stop.wait()\n"
        "stop = threading.Event(); t = threading.Thread(target=work); t.start()\n"
        "pid = os.fork()\n"
        "if pid == 0: os._exit(threading.active_count())\n"
        "_, status = os.waitpid(pid, 0); stop.set(); t.join(); print(os.waitstatus_to_exitcode(status))"
    )
    assert sandbox.run(Job(source=source)).text == "1\n"


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
    with pytest.raises(ConfigError, match="cpu_seconds"):
        Limits(cpu_seconds=0)


def test_many_threads_and_asyncio(sandbox):
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda i: sandbox.run(Job(source=f"print({i})")).text, range(40)))
    assert results == [f"{i}\n" for i in range(40)]
    assert asyncio.run(sandbox.arun(Job(source="print(1)"))).text == "1\n"
    done = dict(sandbox.run_many(Job(source=f"print({i})") for i in range(10)))
    assert [done[i].text for i in range(10)] == [f"{i}\n" for i in range(10)]


def test_wall_limit_is_kept(sandbox):
    sandbox.run(Job(source="pass"))
    started = time.monotonic()
    assert sandbox.run(Job(source="import time; time.sleep(60)", limits=SHORT)).status == "wall_limit"
    assert time.monotonic() - started < 10  # loose: the machine may be busy


def test_a_killed_slot_costs_an_attempt_not_a_result():
    with LocalSandbox(1, min_tier=Tier.FILTERED) as sandbox:
        sandbox.run(Job(source="pass"))
        (slot,) = sandbox._pool._all

        def kill():
            time.sleep(0.3)
            signal.pidfd_send_signal(slot._pidfd, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        result = sandbox.run(Job(source="import time; time.sleep(1); print('done')"))
        killer.join()
        assert (result.status, result.text, result.attempts) == ("ok", "done\n", 2)


def test_a_killed_zygote_is_replaced():
    with LocalSandbox(2, min_tier=Tier.FILTERED) as sandbox:
        sandbox.run(Job(source="pass"))
        sandbox._pool._zygote._process.kill()
        sandbox._pool._zygote._process.wait()
        slow = Job(source="import time; time.sleep(0.3)")  # both slots busy: the second one must be made
        assert [r.status for _, r in sandbox.run_many([slow] * 3)] == ["ok"] * 3


def test_close_leaves_nothing():
    sandbox = LocalSandbox(2, min_tier=Tier.FILTERED)
    sandbox.run(Job(source="pass"))
    (slot,) = sandbox._pool._all
    zygote = sandbox._pool._zygote._process
    boxes = Path(sandbox._pool._boxes)
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
        zygote = sandbox._pool._zygote._process.pid
        slot.close()
        children = Path(f"/proc/{zygote}/task/{zygote}/children")
        deadline = time.monotonic() + 10
        while children.read_text() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not children.read_text()


def test_descriptors_and_memory_do_not_grow(sandbox):
    sandbox.run(Job(source="pass"))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(100):
        sandbox.run(Job(source="open('x', 'w').write('y')"))
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


@pytest.mark.parametrize("strategies", [["user"], ["plain"], None])
def test_every_strategy_runs_jobs(strategies):
    with LocalSandbox(1, strategies=strategies, min_tier=Tier.LIMITS) as sandbox:
        assert sandbox.run(Job(source="print('ok')")).text == "ok\n"
        deep = "import os\nfor _ in range(1200):\n    os.mkdir('d'); os.chdir('d')"
        assert sandbox.run(Job(source=deep)).ok
        assert sandbox.run(Job(source="import os; print(os.listdir('.'))")).text == "[]\n"
