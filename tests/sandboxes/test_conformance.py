"""What every sandbox promises: one job in, one true result out."""

import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from assay.sandboxes import Call, Job, Limits, Sandbox
from assay.sandboxes.local.agent import codec
from tests.sandboxes.processes import descriptors

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")
SHORT = Limits(cpu_seconds=1, wall_seconds=0.3)


def test_it_is_a_sandbox(sandbox):
    assert isinstance(sandbox, Sandbox)
    report = sandbox.capabilities()
    assert report.mechanisms["seccomp"] == "active"
    assert sandbox.run(Job(source="pass")).tier == report.tier


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


def test_arguments_arrive_as_plain_values_that_share_nothing(sandbox):
    class Seven(int):
        pass

    source = "def f(a, b, *rest):\n    a.append(1)\n    return [type(x).__name__ for x in (a, b, *rest)], b, rest"
    shared = [0]
    for rest in ((1.5, 2**300, "\ud800", b"x", None, (1,), {3}), (Seven(7), {"k": [1]})):
        result = sandbox.run(Job(source=source, call=Call("f", (shared, shared, *rest))))
        names, b, others = codec.from_json(json.loads(result.result)["value"])
        assert names == ["list", "list", *["int" if isinstance(x, int) else type(x).__name__ for x in rest]]
        assert (b, others) == ([0], rest)


def test_each_job_has_random_numbers_of_its_own(sandbox):
    assert len({sandbox.run(Job(source="import random; print(random.random())")).text for _ in range(4)}) == 4


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


def test_many_threads_and_asyncio(sandbox):
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda i: sandbox.run(Job(source=f"print({i})")).text, range(40)))
    assert results == [f"{i}\n" for i in range(40)]
    assert asyncio.run(sandbox.arun(Job(source="print(1)"))).text == "1\n"
    done = dict(sandbox.run_many(Job(source=f"print({i})") for i in range(10)))
    assert [done[i].text for i in range(10)] == [f"{i}\n" for i in range(10)]


def test_wall_limit_is_kept(sandbox):
    sandbox.run(Job(source="pass"))
    result = sandbox.run(Job(source="import time; time.sleep(600)", limits=SHORT))
    assert (result.status, result.signal) == ("wall_limit", 9)


def test_descriptors_do_not_grow(sandbox):
    sandbox.run(Job(source="pass"))
    before = descriptors()
    for _ in range(100):
        sandbox.run(Job(source="open('x', 'w').write('y')"))
    assert (descriptors() - before).total() < 50  # one that leaks with each job makes a hundred


def test_sessions_keep_their_state_and_leave_none(sandbox):
    for _ in range(2):
        with sandbox.session() as session:
            assert session.execute("'x' in globals()").value == "False"
            session.execute("x = 1")
            assert session.execute("while True: pass", seconds=0.3).status == "interrupted"
            assert session.execute("x").value == "1"


def test_limits_hold_for_the_tree(sandbox):
    limits = Limits(cpu_seconds=2, processes=8, disk_bytes=2**20, memory_bytes=64 * 2**20)
    for source in (
        "import os\nfor _ in range(20):\n    if os.fork() == 0:\n        import time; time.sleep(9)",
        "open('x', 'wb').write(b'x' * (1 << 21))",
        "x = b'x' * (1 << 28)",
    ):
        assert sandbox.run(Job(source=source, limits=limits)).status not in ("ok", "internal_error", "broke_sandbox")
