"""The pool's promises: a hung, crashed or greedy check costs itself only, and no process is left behind."""

import asyncio
import contextlib
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assay.core.errors import ConfigError, VerifierFault
from assay.verifiers.pool import WorkerCrash, WorkerError, WorkerExhausted, WorkerPool, WorkerTimeout

F = "tests.verifiers.pool_functions"


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(workers=2, wall_seconds=1.0, memory_mb=128) as pool:
        pool.call(f"{F}:add", 0, 0)
        yield pool


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie still has its id; what counts is that it runs no more.
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "condition did not come true"
        time.sleep(0.01)


def test_returns_json_values(pool):
    assert pool.call(f"{F}:add", 2, 3) == 5
    assert pool.call(f"{F}:add", "ä\ud800", "\n") == "ä\ud800\n"
    assert pool.call(f"{F}:add", [1], [2.5]) == [1, 2.5]


def test_workers_persist(pool):
    assert pool.call(f"{F}:pid") == pool.call(f"{F}:pid") != os.getpid()


def test_hung_call_is_killed_and_the_next_one_is_not_harmed(pool):
    for _ in range(3):
        with pytest.raises(WorkerTimeout, match=r"1\.0 s|1 s"):
            pool.call(f"{F}:spin")
        assert pool.call(f"{F}:add", 1, 1) == 2


def test_limit_of_one_call_can_be_changed(pool):
    assert pool.call(f"{F}:sleep", 0.5, wall_seconds=5.0) == 0.5
    with pytest.raises(WorkerTimeout):
        pool.call(f"{F}:sleep", 3.0)


def test_big_integers_inside_one_c_call_are_killed(pool):
    # A signal handler cannot interrupt this: only a kill can.
    with pytest.raises(WorkerTimeout):
        pool.call(f"{F}:tower", 9, 99999)
    assert pool.call(f"{F}:add", 1, 1) == 2


def test_crash_and_exit_and_exception_are_told_apart(pool):
    with pytest.raises(WorkerCrash, match="SIGSEGV"):
        pool.call(f"{F}:die")
    with pytest.raises(WorkerError, match="SystemExit: 3"):
        pool.call(f"{F}:leave")
    with pytest.raises(WorkerError, match=r"^ValueError: no such luck$"):
        pool.call(f"{F}:fail", "no such luck")
    assert pool.call(f"{F}:add", 1, 1) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS needs Linux")
def test_memory_is_limited(pool):
    assert pool.call(f"{F}:allocate", 32) == 32 * 2**20
    with pytest.raises(WorkerError, match="MemoryError"):
        pool.call(f"{F}:allocate", 512)
    assert pool.call(f"{F}:allocate", 32) == 32 * 2**20


def test_prints_do_not_reach_the_protocol(pool):
    assert pool.call(f"{F}:chatter") == "quiet"


def test_wrong_names_and_arguments(pool):
    with pytest.raises(ConfigError):
        pool.call("no_colon")
    with pytest.raises(WorkerError, match="cannot import 'no_such_module_anywhere'"):
        pool.call("no_such_module_anywhere:f")
    with pytest.raises(WorkerError, match="AttributeError"):
        pool.call(f"{F}:no_such_function")
    with pytest.raises(WorkerError, match="not JSON"):
        pool.call(f"{F}:add", object(), 1)
    with pytest.raises(WorkerError, match="TypeError"):
        pool.call(f"{F}:unserialisable")
    assert pool.call(f"{F}:add", 1, 1) == 2


def test_a_batch_keeps_order_and_isolates_failures(pool):
    results = pool.call_many(f"{F}:sleep", [(0.0,), (9,), (0.01,), ("x",)])
    assert results[0] == 0.0 and results[2] == 0.01
    assert isinstance(results[1], WorkerTimeout) and isinstance(results[3], WorkerError)


def test_many_threads_share_few_workers(pool):
    with ThreadPoolExecutor(32) as threads:
        assert list(threads.map(lambda i: pool.call(f"{F}:add", i, i), range(300))) == [2 * i for i in range(300)]


def test_asyncio(pool):
    async def main():
        calls = (asyncio.to_thread(pool.call, f"{F}:add", i, 1) for i in range(20))
        return await asyncio.gather(*calls)

    assert asyncio.run(main()) == list(range(1, 21))


def test_worker_survives_the_thread_that_started_it():
    # The kernel's parent-death signal follows threads, not processes; ours must not.
    with WorkerPool(workers=1) as pool:
        pids = []
        thread = threading.Thread(target=lambda: pids.append(pool.call(f"{F}:pid")))
        thread.start()
        thread.join()
        time.sleep(0.05)
        assert pool.call(f"{F}:pid") == pids[0]


def test_close_ends_everything_and_fails_waiting_calls():
    pool = WorkerPool(workers=1, wall_seconds=30)
    worker = pool.call(f"{F}:pid")
    with ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(pool.call, f"{F}:sleep", 20) for _ in range(2)]
        time.sleep(0.1)
        pool.close()
        for call in calls:
            with pytest.raises(VerifierFault):
                call.result(timeout=60)
    wait_until(lambda: not alive(worker))
    pool.close()
    with pytest.raises(VerifierFault, match="closed"):
        pool.call(f"{F}:add", 1, 1)


def test_a_forgotten_pool_ends_its_workers():
    pool = WorkerPool(workers=1)
    worker = pool.call(f"{F}:pid")
    del pool
    gc.collect()
    wait_until(lambda: not alive(worker))


def test_a_forked_copy_of_the_caller_gets_its_own_workers():
    with WorkerPool(workers=1) as pool:
        worker = pool.call(f"{F}:pid")
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                own = pool.call(f"{F}:pid")
                pool.close()
                os.write(write, b"own" if own != worker else b"shared")
            finally:
                os._exit(0)
        os.close(write)
        os.waitpid(child, 0)
        assert os.read(read, 10) == b"own"
        os.close(read)
        assert pool.call(f"{F}:pid") == worker


@pytest.mark.parametrize("busy", [False, True])
def test_no_process_survives_a_killed_caller(busy):
    script = textwrap.dedent(f"""
        import threading, time
        from assay.verifiers.pool import WorkerPool
        pool = WorkerPool(workers=1, wall_seconds=60)
        print(pool.call("{F}:pid"), flush=True)
        if {busy}:
            threading.Thread(target=pool.call, args=("{F}:spin",), daemon=True).start()
        time.sleep(60)
    """)
    root = Path(__file__).parents[2]
    caller = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=root)
    try:
        worker = int(caller.stdout.readline())
        time.sleep(0.2)
    finally:
        caller.send_signal(signal.SIGKILL)
        caller.wait()
        caller.stdout.close()
    wait_until(lambda: not alive(worker))


def test_children_of_a_killed_worker_die_too(tmp_path, monkeypatch):
    monkeypatch.setenv("ORPHAN_FILE", str(tmp_path / "pid"))
    with WorkerPool(workers=1, wall_seconds=2.0) as pool:
        with pytest.raises(WorkerTimeout):
            pool.call(f"{F}:orphan_group")
        child = int((tmp_path / "pid").read_text())
        wait_until(lambda: not alive(child))


def test_settings_are_checked():
    for bad in ({"workers": 0}, {"wall_seconds": 0}, {"memory_mb": 0}):
        with pytest.raises(ConfigError):
            WorkerPool(**bad)


def test_processor_time_is_limited_whatever_the_clock_says():
    with WorkerPool(1, wall_seconds=60.0, cpu_seconds=0.2) as pool:
        for _ in range(2):
            with pytest.raises(WorkerExhausted, match=r"0\.2 s of processor time"):
                pool.call(f"{F}:spin")
        assert pool.call(f"{F}:sleep", 0.5) == 0.5  # sleeping uses none
        for _ in range(5):
            assert pool.call(f"{F}:add", 1, 1) == 2
