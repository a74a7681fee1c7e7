import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from contextlib import aclosing
from pathlib import Path

import pytest

from assay.core.errors import ConfigError, DataError
from assay.rollouts import EpisodeRequest, Runner, TrajectoryStore, run_episodes

from .support import Census, Quiz, Scripted, SlowQuiz, make_tasks, requests


def test_all_episodes_come_back_once_in_the_order_asked_for():
    wanted = requests(8)
    played = run_episodes(Quiz, Scripted("ask", "answer {n}"), wanted, concurrency=3)
    assert [t.id for t in played] == [r.id for r in wanted]
    assert all(t.correct for t in played)


def test_episodes_are_yielded_as_they_finish():
    class Patient(Scripted):
        def open(self, *, tools=(), seed=0):
            self.wait = 0.2 if len(self.seeds) == 0 else 0.0
            conversation = super().open(tools=tools, seed=seed)
            conversation.agent = Scripted(*self.lines, wait=self.wait)
            return conversation

    async def main():
        with Runner(Quiz, Patient("answer {n}")) as runner:
            return [t.id async for t in runner.run(requests(4))]

    assert asyncio.run(main())[-1] == "e0"


def test_concurrency_is_reached_and_never_exceeded():
    agent = Scripted("ask", "answer {n}", wait=0.01)
    census = Census()
    run_episodes(lambda: Quiz(census), agent, requests(40, tasks=make_tasks(40)), concurrency=7)
    assert agent.most == 7
    assert census.made == 7  # reused after reset
    assert census.resets == 40
    assert census.all_closed_once_or_more


def test_requests_are_read_lazily_and_a_slow_reader_is_not_overrun():
    read = 0

    def endless():
        nonlocal read
        task = make_tasks()[0]
        while True:
            read += 1
            yield EpisodeRequest(f"e{read}", "g", task, seed=0)

    async def main():
        census, got = Census(), 0
        with Runner(lambda: Quiz(census), Scripted("answer 0"), concurrency=4) as runner:
            async with aclosing(runner.run(endless())) as episodes:
                async for _ in episodes:
                    got += 1
                    await asyncio.sleep(0.005)
                    assert read <= got + 2 * 4 + 1
                    if got == 20:
                        break
            assert sum(census.closed.values()) == 0  # idle ones are kept for the next run
            async with aclosing(runner.run(requests(2, prefix="second"))) as episodes:
                assert len([t async for t in episodes]) == 2
        assert census.all_closed_once_or_more

    asyncio.run(main())


def test_one_failure_never_ends_a_run():
    class Moody(Quiz):
        def advance(self, action):
            if self.task.id == "t3":
                raise MemoryError("too much")
            return super().advance(action)

    census = Census()
    played = run_episodes(lambda: Moody(census), Scripted("answer {n}"), requests(8), concurrency=2)
    assert [t.status for t in played].count("failed") == 1
    assert played[3].error.startswith("MemoryError: too much")
    assert sum(t.correct is True for t in played) == 7
    assert census.made == 3  # the failed one was replaced
    assert census.all_closed_once_or_more


@pytest.mark.parametrize("make_env", [Quiz, SlowQuiz])
def test_a_store_holds_every_episode_exactly_once(tmp_path, make_env):
    with TrajectoryStore(tmp_path / "t.jsonl") as store:
        played = run_episodes(make_env, Scripted("ask", "answer {n}"), requests(8), concurrency=3, store=store)
        assert len(store) == 8
        stored = {t.id: t for t in store}
    assert stored == {t.id: t for t in played}


def test_what_finished_is_stored_before_it_is_yielded(tmp_path):
    async def main(store):
        with Runner(Quiz, Scripted("answer {n}"), concurrency=2, store=store) as runner:
            async with aclosing(runner.run(requests(8))) as episodes:
                async for trajectory in episodes:
                    assert trajectory.id in store
                    break
        left = [r for r in requests(8) if r.id not in store]
        with Runner(Quiz, Scripted("answer {n}"), concurrency=2, store=store) as runner:
            async for _ in runner.run(left):
                pass

    with TrajectoryStore(tmp_path / "t.jsonl") as store:
        asyncio.run(main(store))
        assert sorted(t.id for t in store) == [f"e{i}" for i in range(8)]


def test_blocking_environments_run_side_by_side():
    together = threading.Barrier(200)

    class Meeting(SlowQuiz):
        def advance(self, action):
            together.wait(60)  # goes on when all two hundred are in their step
            return super().advance(action)

    played = run_episodes(Meeting, Scripted("answer {n}"), requests(200, tasks=make_tasks(200)))
    assert all(t.correct for t in played)


def test_an_episode_that_is_being_judged_gives_its_place_to_the_next():
    together = threading.Barrier(8)

    class Court(Quiz):
        def __init__(self):
            super().__init__()
            self.blocking = self.waits_to_judge = True

        def judge(self):
            together.wait(60)  # goes on when all eight are being judged
            return super().judge()

    agent = Scripted("answer {n}", wait=0.01)
    wanted = requests(8)
    played = run_episodes(Court, agent, wanted, concurrency=2, hand_over=True)
    assert [t.id for t in played] == [r.id for r in wanted]
    assert all(t.correct for t in played)
    assert agent.most == 2


def test_a_hung_environment_costs_one_episode(tmp_path):
    release = threading.Event()

    class Stuck(SlowQuiz):
        def advance(self, action):
            if self.task.id == "t1":
                release.wait(60)
            elif self.task.id == "t5":
                release.set()  # the last one: all others were played while this one hung
            return super().advance(action)

    played = run_episodes(Stuck, Scripted("answer {n}"), requests(6), concurrency=2, step_threads=1, step_seconds=1.0)
    assert [t.status for t in played] == ["terminated", "failed"] + ["terminated"] * 4
    assert release.is_set()


def test_a_mistake_in_making_environments_is_the_users_to_mend():
    def make_env():
        raise ConfigError("unknown environment 'assay/Countdwon-v0'")

    with pytest.raises(ConfigError, match="Countdwon"):
        run_episodes(make_env, Scripted("x"), requests(4))


def test_an_environment_that_cannot_be_made_costs_one_episode(tmp_path):
    class Flaky:
        calls = 0

        def __call__(self):
            self.calls += 1
            if self.calls == 1:
                raise OSError("no container left\nmore")
            return Quiz()

    with TrajectoryStore(tmp_path / "t.jsonl") as store:
        played = run_episodes(Flaky(), Scripted("answer {n}"), requests(4), concurrency=1, store=store)
        assert len(store) == 4
    assert [t.status for t in played] == ["failed"] + ["terminated"] * 3
    assert played[0].error.startswith("OSError: no container left (test_runner.py:") and not played[0].scored
    again = run_episodes(Flaky(), Scripted("answer {n}"), requests(4), concurrency=1, retries=1)
    assert all(t.correct for t in again)


def test_a_store_that_cannot_be_written_ends_the_run_and_closes_everything():
    class FullDisk:
        def append(self, trajectory):
            raise DataError("cannot be written: No space left on device", path="t.jsonl")

    census = Census()
    with pytest.raises(DataError, match="No space left"):
        run_episodes(lambda: Quiz(census), Scripted("ask", "answer 1", wait=0.01), requests(8), store=FullDisk())
    assert census.made == 8
    assert census.all_closed_once_or_more


@pytest.mark.parametrize("make_env", [Quiz, SlowQuiz])
def test_cancellation_closes_all_environments(make_env):
    census = Census()

    async def main():
        runner = Runner(lambda: make_env(census), Scripted("sleep 0.05", wait=0.02), concurrency=4)

        async def read():
            async for _ in runner.run(requests(8)):
                pass

        reader = asyncio.create_task(read())
        await asyncio.sleep(0.06)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert len(asyncio.all_tasks()) == 1  # nothing is left in flight

    asyncio.run(main())
    assert census.made == 4
    assert census.all_closed_once_or_more


def test_ctrl_c_closes_all_environments(tmp_path):
    script = tmp_path / "play.py"
    script.write_text(
        "import sys\n"
        "from tests.rollouts.support import Census, Scripted, SlowQuiz, requests\n"
        "from assay.rollouts import run_episodes\n"
        "class Loud(SlowQuiz):\n"
        "    def close(self):\n"
        "        sys.stdout.write(f'closed {self.number}\\n'); sys.stdout.flush()\n"
        "census = Census()\n"
        "def make_env():\n"
        "    env = Loud(census, max_turns=10_000)\n"
        "    print('open', env.number, flush=True)\n"
        "    return env\n"
        "run_episodes(make_env, Scripted('sleep 0.2'), requests(3))\n"
    )
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        # A test runner in the background hands down an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert child.stdout is not None
    opened = {child.stdout.readline().split()[1] for _ in range(3)}
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=120)
    assert {line.split()[1] for line in out.splitlines() if line.startswith("closed")} == opened
    assert "KeyboardInterrupt" in err


def test_an_environment_that_cannot_close_costs_nothing(caplog):
    class Sticky(Quiz):
        def close(self):
            raise OSError("device busy")

    played = run_episodes(Sticky, Scripted("answer {n}"), requests(3))
    assert all(t.correct for t in played)
    assert "close() failed: OSError: device busy" in caplog.text


def test_ids_that_are_not_unique_are_refused(tmp_path):
    twice = [*requests(2), *requests(2)]
    with pytest.raises(ConfigError, match="not unique"):
        run_episodes(Quiz, Scripted("answer {n}"), twice)


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"retries": -1}, {"step_threads": 0}])
def test_settings_that_make_no_sense_are_refused(options):
    with pytest.raises(ConfigError):
        Runner(Quiz, Scripted("x"), **options)


def test_memory_is_flat_in_the_number_of_episodes():
    task = make_tasks()[0]

    def peak(n):
        async def main():
            with Runner(Quiz, Scripted("answer 0"), concurrency=32) as runner:
                async for _ in runner.run(EpisodeRequest(f"e{i}", "g", task, seed=0) for i in range(n)):
                    runner.agent.seeds.clear()
                    runner.agent.budgets.clear()

        tracemalloc.start()
        asyncio.run(main())
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(50)
    assert peak(1600) < 1.3 * peak(200)
