"""A soak of the web environments: many episodes with faults put into them, and what is left behind.

    python benchmarks/web_soak.py --text 50000
    python benchmarks/web_soak.py --browser 2000

Most episodes are the oracle's and must be correct. Every so often (`--every`) something breaks in the middle of one,
which must be truncated without a verdict, and the ones after it must be correct again:

* `locked`: another connection holds the database exclusively;
* `raises`: the site raises on its next request;
* `waits`: the site waits for something that never comes (text driver);
* `hangs`: a script of the page never ends (browser);
* `crash`: the process of a page is killed (browser), which costs every tab that it shows;
* `killed`: the whole browser is killed (browser), which costs every episode in flight.

Prints how the episodes with and without a fault of their own ended, and processes, threads, open files, temporary
entries and memory before (after a warm-up of a tenth) and after.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import signal
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import assay
from assay.core.errors import Fault
from assay.core.seeding import derive_seed
from assay.core.task import Task
from assay.envs.web.drivers.text import TextDriver
from assay.envs.web.web_task import WebTaskEnv

TABS = 4
TASKS = 200
HANG_SECONDS = 3.0
_names = itertools.count()

Injection = Callable[[WebTaskEnv], object]
"""Breaks something in an episode; what it returns keeps the damage alive until the episode is over."""


@dataclass(frozen=True)
class Left:
    """What this process holds."""

    processes: int
    threads: int
    files: int
    temporary: int
    megabytes: float

    @classmethod
    def now(cls) -> Left:
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        return cls(
            processes=len(children(os.getpid())),
            threads=threading.active_count(),
            files=len(list(Path("/proc/self/fd").iterdir())),
            temporary=sum(1 for _ in Path(tempfile.gettempdir()).iterdir()),
            megabytes=int(status["VmRSS"].split()[0]) / 1024,
        )

    def __str__(self) -> str:
        return (
            f"{self.processes} processes, {self.threads} threads, {self.files} files, {self.temporary} temporary "
            f"entries, {self.megabytes:.0f} MB"
        )


def children(process: int) -> list[int]:
    """Return all processes below one, zombies left out."""
    below: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = status.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                below.setdefault(int(parent), []).append(int(status.parent.name))
    found, ahead = [], [process]
    while ahead:
        found += (new := below.get(ahead.pop(), []))
        ahead += new
    return found


def make(**options: Any) -> WebTaskEnv:
    env = assay.make("assay/WebTask-v0", **options).unwrapped
    assert isinstance(env, WebTaskEnv)
    return env


def plays(level: int) -> list[tuple[Task, list[str]]]:
    env = make(level=level)
    return [(task, env.demonstration(task) or []) for task in env.tasks.head(TASKS)]


def play(env: WebTaskEnv, task: Task, turns: list[str], inject: Injection | None = None) -> str:
    """Play an episode, and break something before its first turn; return how it ended."""
    try:
        env.reset(options={"task": task})
    except Fault:
        return "no verdict"
    damage = inject(env) if inject else None
    for turn in turns:
        _, reward, terminated, truncated, info = env.step(turn)
        if "verdict" in info:
            correct = info["verdict"].correct
            if correct is None:
                assert (reward, terminated, truncated) == (0.0, False, True)
            del damage
            return {True: "correct", False: "WRONG", None: "no verdict"}[correct]
    return "UNFINISHED"


# -- faults ---------------------------------------------------------------------------------------------------


def locked(env: WebTaskEnv) -> object:
    """Move the episode's database into shared memory, where another connection holds it."""
    name = f"file:soak{next(_names)}?mode=memory&cache=shared"
    shared, holder = (
        sqlite3.connect(name, uri=True, check_same_thread=False, isolation_level=None, timeout=0) for _ in range(2)
    )
    env.database._connection.backup(shared)
    env.database._connection.close()
    env.database._connection = shared
    holder.execute("BEGIN EXCLUSIVE")
    return holder


def raises(env: WebTaskEnv) -> object:
    """Close the database, so that the site raises."""
    env.database.close()
    return None


def waits(env: WebTaskEnv) -> object:
    """Put a site in place that waits."""

    async def app(*_: Any) -> None:
        await asyncio.sleep(3600)

    assert isinstance(env.driver, TextDriver)
    env.driver._app = app
    return None


def hangs(env: WebTaskEnv) -> object:
    """Let a script of the page run for ever."""
    driver: Any = env.driver
    driver.script("() => setTimeout(() => { while (true); })")
    driver.seconds = HANG_SECONDS
    return Restored(driver, 60.0)


class Restored:
    """Gives a driver its patience back when the episode is over."""

    def __init__(self, driver: Any, seconds: float) -> None:
        self.driver, self.seconds = driver, seconds

    def __del__(self) -> None:
        self.driver.seconds = self.seconds


def crash(env: WebTaskEnv) -> object:
    """Kill a process that shows pages."""
    shown = [pid for pid in children(os.getpid()) if "--type=renderer" in command(pid)]
    if shown:
        os.kill(shown[os.getpid() % len(shown)], signal.SIGKILL)
    return None


def killed(env: WebTaskEnv) -> object:
    """Kill the browser."""
    for pid in children(os.getpid()):
        if "headless" in command(pid) and "--type=" not in command(pid):
            os.kill(pid, signal.SIGKILL)
    return None


def command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


# -- soaks ----------------------------------------------------------------------------------------------------


class Soak:
    """Counts how episodes end, and decides which of them have a fault."""

    def __init__(self, episodes: int, every: int, faults: list[Injection]) -> None:
        self.episodes, self.every, self.faults = episodes, every, faults
        self.ends: Counter[tuple[str, str]] = Counter()
        self.before: Left | None = None
        self._lock = threading.Lock()
        self._done = 0

    def fault(self, index: int) -> Injection | None:
        rng = np.random.default_rng(derive_seed("soak", index))
        return self.faults[int(rng.integers(len(self.faults)))] if rng.random() < 1 / self.every else None

    def episode(self, env: WebTaskEnv, index: int, task: Task, turns: list[str]) -> None:
        inject = self.fault(index)
        end = play(env, task, turns, inject)
        with self._lock:
            self.ends[getattr(inject, "__name__", "none"), end] += 1
            self._done += 1
            if self._done == self.episodes // 10:
                self.before = Left.now()
            if self._done % (self.episodes // 10) == 0:
                print(f"  {self._done:,} episodes; {Left.now()}", flush=True)

    def report(self, name: str, seconds: float, after: Left) -> None:
        print(f"{name}: {self.episodes:,} episodes in {seconds:,.0f} s")
        for kind in ["none", *(fault.__name__ for fault in self.faults)]:  # type: ignore[attr-defined]
            ends = {end: n for (fault, end), n in sorted(self.ends.items()) if fault == kind}
            print(f"  fault {kind:7}: {', '.join(f'{n:,} {end}' for end, n in ends.items())}")
        print(f"  before: {self.before}\n  after : {after}", flush=True)


def soak_text(episodes: int, every: int) -> None:
    soak = Soak(episodes, every, [locked, raises, waits])
    prepared = {level: (make(level=level), plays(level)) for level in (1, 2, 3)}
    started = time.process_time()
    for i in range(episodes):
        env, tasks = prepared[1 + i % 3]
        soak.episode(env, i, *tasks[i // 3 % TASKS])
    soak.report("text driver (processor time)", time.process_time() - started, Left.now())


def soak_browser(episodes: int, every: int) -> None:
    soak = Soak(episodes, every, [locked, raises, hangs, crash, killed])
    prepared = plays(1)
    start, started = Left.now(), time.monotonic()

    def worker(number: int) -> None:
        env = make(level=1, driver="browser")
        for i in range(number, episodes, TABS):
            soak.episode(env, i, *prepared[i % TASKS])
        env.close()

    with ThreadPoolExecutor(TABS) as pool:
        list(pool.map(worker, range(TABS)))
    soak.report(f"browser, {TABS} tabs", time.monotonic() - started, Left.now())
    print(f"  start : {start}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--text", type=int, default=0, metavar="EPISODES")
    parser.add_argument("--browser", type=int, default=0, metavar="EPISODES")
    parser.add_argument("--every", type=int, default=50, help="episodes between two faults, on average")
    options = parser.parse_args()
    if not (options.text or options.browser):
        parser.error("say how many episodes: --text 50000, --browser 2000, or both")
    with tempfile.TemporaryDirectory() as own:  # so that temporary entries of other programs do not count
        os.environ["TMPDIR"] = tempfile.tempdir = own
        if options.text:
            soak_text(options.text, options.every)
        if options.browser:
            soak_browser(options.browser, options.every)


if __name__ == "__main__":
    main()
