"""Rates of the web environments: whole episodes of the oracle, through both drivers.

    python benchmarks/web.py [--seconds 2] [--browser-episodes 30]

Prints, for the text driver, tasks made, episodes and actions in a second of one core (processor time, so that other
work on the machine does not count), and for the browser the times of a reset, an action and a screenshot and the
actions in a second over four tabs (wall time: it is another process). The floor or limit that the project promises
stands beside each.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import assay
from assay.core.errors import Fault
from assay.core.task import Task
from assay.envs.web.web_task import WebTaskEnv

EPISODES_FLOOR, ACTIONS_FLOOR, RESET_LIMIT, STEP_LIMIT = 300, 25, 120, 120
TABS = 4

Play = tuple[Task, list[str]]


def make(**options: Any) -> WebTaskEnv:
    env = assay.make("assay/WebTask-v0", **options).unwrapped
    assert isinstance(env, WebTaskEnv)
    return env


def plays(level: int, n: int) -> list[Play]:
    env = make(level=level)
    return [(task, env.demonstration(task) or []) for task in env.tasks.head(n)]


def play(env: WebTaskEnv, task: Task, turns: list[str]) -> str:
    """Play an episode; return `correct`, `wrong` or `fault`."""
    try:
        env.reset(options={"task": task})
    except Fault:
        return "fault"
    for turn in turns:
        *_, info = env.step(turn)
        if "verdict" in info:
            return {True: "correct", False: "wrong", None: "fault"}[info["verdict"].correct]
    return "unfinished"


def text_rates(level: int, seconds: float) -> str:
    env, prepared = make(level=level), plays(level, 60)
    started, made = time.process_time(), 0
    while time.process_time() - started < seconds / 4:
        made += bool(env.tasks[1000 + made])
    tasks = made / (time.process_time() - started)
    started, episodes, actions = time.process_time(), 0, 0
    while time.process_time() - started < seconds:
        task, turns = prepared[episodes % len(prepared)]
        assert play(env, task, turns) == "correct"
        episodes, actions = episodes + 1, actions + len(turns)
    spent = time.process_time() - started
    floor = f" (floor {EPISODES_FLOOR})"
    return (
        f"text driver, level {level}: {tasks:6,.0f} tasks/s {episodes / spent:6,.0f} episodes/s{floor} "
        f"{actions / spent:6,.0f} actions/s, {actions / episodes:.1f} actions an episode"
    )


def browser_rates(episodes: int) -> Iterator[str]:
    prepared = plays(2, episodes)
    env = make(level=2, driver="browser")
    play(env, *prepared[0])  # the browser starts
    resets, steps, shots = [], [], []
    for task, turns in prepared:
        started = time.perf_counter()
        env.reset(options={"task": task})
        resets.append(time.perf_counter() - started)
        for turn in turns:
            started = time.perf_counter()
            env.step(turn)
            steps.append(time.perf_counter() - started)
        assert env.screen is not None
        started = time.perf_counter()
        env.screen.screenshot()
        shots.append(time.perf_counter() - started)
    for name, times, limit in (("reset", resets, RESET_LIMIT), ("action", steps, STEP_LIMIT), ("screenshot", shots, 0)):
        p50, p90 = 1000 * np.percentile(times, [50, 90])
        yield f"browser {name:10}: p50 {p50:4.0f} ms, p90 {p90:4.0f} ms" + (f" (limit {limit} ms)" if limit else "")
    envs = [env, *(make(level=2, driver="browser") for _ in range(TABS - 1))]
    for other in envs:
        play(other, *prepared[0])
    started = time.perf_counter()
    with ThreadPoolExecutor(TABS) as pool:
        list(pool.map(lambda i: [play(envs[i], *p) for p in prepared[i::TABS]], range(TABS)))
    rate = sum(len(turns) + 1 for _, turns in prepared) / (time.perf_counter() - started)
    yield f"browser, {TABS} tabs   : {rate:4.0f} actions/s (floor {ACTIONS_FLOOR})"
    for other in envs:
        other.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--browser-episodes", type=int, default=30)
    options = parser.parse_args()
    for level in (1, 2, 3):
        print(text_rates(level, options.seconds), flush=True)
    for line in browser_rates(options.browser_episodes) if options.browser_episodes else ():
        print(line, flush=True)


if __name__ == "__main__":
    main()
