import asyncio
import subprocess
import sys
import threading
import time

import pytest

from assay.core.errors import ConfigError, Fault
from assay.rollouts.threads import StepThreads, StepTimeout


def test_results_and_exceptions_come_back():
    async def main():
        threads = StepThreads(2)
        assert await threads.call(lambda: threading.current_thread().daemon)
        with pytest.raises(KeyError):
            await threads.call(lambda: {}["x"])
        with pytest.raises(RuntimeError, match="StopIteration"):
            await threads.call(lambda: next(iter(())))
        threads.close()

    asyncio.run(main())


def test_no_more_threads_than_the_limit_and_all_of_them():
    at_work, most, lock = 0, 0, threading.Lock()

    def work():
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.02)
        with lock:
            at_work -= 1

    async def main():
        threads = StepThreads(4)
        await asyncio.gather(*(threads.call(work) for _ in range(20)))
        threads.close()

    asyncio.run(main())
    assert most == 4


def test_a_hung_call_takes_no_place_and_is_cleaned_up_when_it_returns():
    async def main():
        threads, release, late = StepThreads(1), threading.Event(), []
        for name in ("a", "b"):
            with pytest.raises(StepTimeout, match=r"0\.05 s") as raised:
                await threads.call(lambda: release.wait(10), timeout=0.05, late=lambda name=name: late.append(name))
            assert isinstance(raised.value, Fault)
        assert await threads.call(lambda: "still alive", timeout=60) == "still alive"
        assert late == []
        release.set()
        threads.close()  # waits for the two
        assert sorted(late) == ["a", "b"]

    asyncio.run(main())


def test_the_clock_starts_when_the_call_starts():
    async def main():
        threads = StepThreads(1)
        calls = [threads.call(lambda: time.sleep(0.25), timeout=1.5) for _ in range(8)]  # 2 s of work in one thread
        await asyncio.gather(*calls)
        threads.close()

    asyncio.run(main())


def test_a_cancelled_call_that_had_not_begun_never_runs():
    async def main():
        threads, release, ran, late = StepThreads(1), threading.Event(), [], []
        first = asyncio.create_task(threads.call(lambda: release.wait(10)))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(threads.call(lambda: ran.append(1), late=lambda: late.append("second")))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        assert late == ["second"]
        release.set()
        await first
        assert await threads.call(lambda: "next") == "next"
        assert ran == []
        threads.close()

    asyncio.run(main())


def test_the_environment_of_a_cancelled_call_is_released_after_it_returns():
    async def main():
        threads, release, late = StepThreads(1), threading.Event(), []
        call = asyncio.create_task(threads.call(lambda: release.wait(10), late=lambda: late.append(1)))
        await asyncio.sleep(0.05)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert late == []
        release.set()
        threads.close()
        assert late == [1]

    asyncio.run(main())


def test_a_hung_call_cannot_keep_the_process_alive():
    code = (
        "import asyncio, time\n"
        "from assay.rollouts.threads import StepThreads, StepTimeout\n"
        "async def main():\n"
        "    threads = StepThreads(1)\n"
        "    try:\n"
        "        await threads.call(lambda: time.sleep(60), timeout=0.05)\n"
        "    except StepTimeout:\n"
        "        print('gave up')\n"
        "    threads.close(grace=0.05)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "gave up\n"


def test_no_threads_make_no_sense():
    with pytest.raises(ConfigError, match="step_threads"):
        StepThreads(0)
