"""Rates of the environments that run in process: tasks, steps, tool calls and verdicts in a second of one core.

    python benchmarks/environments.py [--seconds 1] [--passages 100000]

Tasks are made beforehand; the oracle plays. Prints, for each environment, tasks generated/s, steps/s (grading
included) and the time of one verdict, and beside them the floor that the project promises. All times are processor
time, so that other work on the machine does not count (steps of chess: wall time). For the search index it
prints the time to write, index and keep passages of 60 words (Zipf-like vocabulary), the memory of the process, and
the time of a query of six words, its index mapped from the disk.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import assay
from assay.envs.base import TaskEnv
from assay.envs.search import Passage, build_index

ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "assay/ServiceDesk-v0": {},
    "assay/ServiceDesk-v0 level 3": {"level": 3},
    "assay/ServiceDesk-v0 travel": {"domain": "travel"},
    "assay/ToolCall-v0": {},
    "assay/SearchQA-v0": {},
    "assay/GuessNumber-v0": {},
    "assay/KnightsKnaves-v0": {},
    "assay/Maze-v0": {},
    "assay/FrozenLake-v0": {},
    "assay/Sokoban-v0": {},
    "assay/Minesweeper-v0": {},
    "assay/Twenty48-v0": {"target": 64},
    "assay/Wordle-v0": {},
    "assay/TwentyQuestions-v0": {},
    "assay/TextNav-v0": {},
    "assay/CarDealer-v0": {},
    "assay/KuhnPoker-v0": {},
    "assay/ConnectFour-v0": {},
    "assay/Chess-v0": {},
}
_GAMES = "GuessNumber Maze FrozenLake Sokoban Minesweeper Twenty48 Wordle TwentyQuestions TextNav CarDealer KuhnPoker"
FLOORS = {**{f"assay/{name}-v0": 5000 for name in [*_GAMES.split(), "ConnectFour"]}, "assay/Chess-v0": 200}
CALLS_FLOOR = 1000


def per_second(work: Callable[[int], int], seconds: float, clock: Callable[[], float] = time.process_time) -> float:
    """Return units of work per second; `work(i)` returns how many units it did."""
    done, i, started = 0, 0, clock()
    while clock() - started < seconds:
        done, i = done + work(i), i + 1
    return done / (clock() - started)


def measure(name: str, options: dict[str, Any], seconds: float) -> str:
    env = assay.make(name.split()[0], **options).unwrapped
    assert isinstance(env, TaskEnv)
    generated = per_second(lambda i: bool(env.tasks[i]), seconds)
    tasks = list(env.tasks.head(50))
    rng = np.random.default_rng(0)
    plays = [(task, env.demonstrate(task, env.demonstration_styles[0], rng)) for task in tasks]

    def episode(i: int) -> int:
        task, turns = plays[i % len(plays)]
        env.reset(options={"task": task})
        for turn in turns:
            env.step(turn)
        return len(turns)

    # What waits for a process of its own, such as a chess engine, is measured by the clock on the wall.
    steps = per_second(episode, seconds, time.perf_counter if env.blocking else time.process_time)
    episode(0)
    verdicts = per_second(lambda _: bool(env.judge()), seconds / 2)
    floor = FLOORS.get(name)
    beside = f" (floor {floor:,})" if floor else ""
    rates = f"{generated:10,.0f} tasks/s {steps:10,.0f} steps/s{beside}"
    return f"{name:30}{rates} {1000 / verdicts:8.3f} ms/verdict (limit 1)"


def tool_calls(seconds: float) -> float:
    env = assay.make("assay/ServiceDesk-v0", max_turns=10**9).unwrapped
    assert isinstance(env, TaskEnv)
    task = env.tasks[0]
    call = next(turn for turn in env.demonstration(task) or [] if "get_order" in turn)
    env.reset(options={"task": task})

    def once(_: int) -> int:
        env.step(call)
        env.transcript.clear()
        return 1

    return per_second(once, seconds)


def mcp_calls(seconds: float) -> str:
    try:
        from mcp.server import MCPServer

        from assay.envs.tools.mcp import McpSession
    except ImportError:
        return "MCP calls in process: left out, the mcp SDK is not installed"

    def add(number: int) -> int:
        return number + 1

    server = MCPServer("adder")
    server.add_tool(add)
    session = McpSession(server)
    rate = per_second(lambda i: bool(session.call("add", {"number": i})), seconds)
    session.close()
    return f"MCP calls in process: {rate:,.0f}/s (floor {CALLS_FLOOR:,})"


def passages(n: int) -> Iterator[Passage]:
    rng = np.random.default_rng(0)
    for i in range(n):
        words = np.minimum(rng.zipf(1.2, size=60), 200_000).tolist()
        yield Passage(str(i), "", " ".join(map("w{}".format, words)))


def index(n: int) -> str:
    with tempfile.TemporaryDirectory() as directory:
        started = time.process_time()
        built = build_index(passages(n), f"{directory}/index")
        build = time.process_time() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        times = []
        for passage in itertools.islice(passages(n), 200):
            query = " ".join(passage.text.split()[:6])
            started = time.process_time()
            built.search(query, 10)
            times.append(time.process_time() - started)
    return (
        f"index of {n:,} passages: built and kept in {build:.1f} s (limit 10 for 100,000), {peak:.1f} GiB at most, "
        f"query p50 {1000 * np.median(times):.2f} ms (limit 2)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--passages", type=int, default=100_000)
    options = parser.parse_args()
    for name, settings in ENVIRONMENTS.items():
        print(measure(name, settings, options.seconds), flush=True)
    print(f"tool calls over SQLite: {tool_calls(options.seconds):,.0f}/s (floor {CALLS_FLOOR:,})", flush=True)
    print(mcp_calls(options.seconds), flush=True)
    print(index(options.passages))


if __name__ == "__main__":
    main()
