"""A soak of text environments with faults put in: nothing leaks, and the run goes on.

    python benchmarks/faults_soak.py [--episodes 50000]

Plays the oracle's turns in games, puzzles, tools and search through `Runner`. In between come episodes whose tool
hangs, whose database is locked by somebody else, and whose MCP server dies in the middle of a call. Every such episode
must end without a verdict, every other one correct; then counts what is left behind: threads, open files, child
processes, and memory against that after a tenth of the episodes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import assay
from assay.agents.scripted import ScriptedAgent
from assay.core.message import text_of
from assay.core.task import Task, TaskList
from assay.core.tool import ToolCall, tool
from assay.core.verdict import Verdict, right, wrong
from assay.envs.base import TaskEnv
from assay.envs.tools.base import ToolEnv
from assay.rollouts import EpisodeRequest, Runner
from assay.verifiers.base import Evidence, Verifier

HEALTHY = [
    "assay/FrozenLake-v0",
    "assay/Maze-v0",
    "assay/SearchQA-v0",
    "assay/ServiceDesk-v0",
    "assay/Sudoku-v0",
    "assay/TextNav-v0",
    "assay/ToolCall-v0",
    "assay/TwentyFour-v0",
]
PREPARED = 100
"""Different tasks of each environment."""
HANG = 2.0
PATIENCE = 0.1
"""Seconds that a tool hangs, and that the runner waits for it."""
FAULTY_IN = 200
"""One episode in so many has a broken tool; one in ten times as many an MCP server that dies."""


class Said(Verifier):
    """Correct when the last turn is the target."""

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        return right() if evidence.text == task.target else wrong("no")


class BrokenTools(ToolEnv):
    """A tool that hangs and one whose database is locked."""

    blocking = True

    def __init__(self, database: Path) -> None:
        @tool
        def wait() -> str:
            """Wait."""
            time.sleep(HANG)
            return "late"

        @tool
        def write() -> str:
            """Write into the database."""
            with closing(sqlite3.connect(database, timeout=0.01)) as connection:
                connection.execute("INSERT INTO notes VALUES ('x')")
            return "written"

        super().__init__(
            TaskList([Task(name, name, target="done") for name in ("wait", "write")]), Said(), [wait, write]
        )


def scripted(env: TaskEnv) -> tuple[list[Task], ScriptedAgent]:
    """Return tasks, and an agent that knows how each is solved from its last opening message."""
    script: dict[str, list[str]] = {}
    tasks = []
    for task in env.tasks.head(PREPARED):
        turns = env.demonstration(task)
        opening, _ = env.reset(options={"task": task})
        if turns and text_of(opening[-1]) not in script:
            script[text_of(opening[-1])] = turns
            tasks.append(task)

    def policy(messages: list[dict[str, object]]) -> str:
        spoken = sum(message["role"] == "assistant" for message in messages)
        return next(script[text] for m in messages if (text := text_of(m)) in script)[spoken]  # type: ignore[arg-type]

    return tasks, ScriptedAgent(policy)  # type: ignore[arg-type]


def requests(tasks: list[Task], count: int, name: str) -> Iterator[EpisodeRequest]:
    return (EpisodeRequest(f"{name}/{i}", f"{name}/{i}", tasks[i % len(tasks)], i) for i in range(count))


async def play(runner: Runner, wanted: Iterator[EpisodeRequest], ends: Counter[str], name: str) -> None:
    async for trajectory in runner.run(wanted):
        verdict = trajectory.verdict
        scored = verdict is not None and verdict.score is not None
        ends[f"{name} {'no verdict' if not scored else 'correct' if verdict.correct else 'WRONG'}"] += 1  # type: ignore[union-attr]


def mcp_env() -> TaskEnv:
    from mcp.client.stdio import StdioServerParameters

    from assay.envs.tools.mcp import McpEnv

    program = Path(__file__).parents[1] / "tests" / "envs" / "tools" / "mcp_server.py"
    server = StdioServerParameters(command=sys.executable, args=[str(program)])
    return McpEnv(TaskList([Task("die", "die", target="done")]), Said(), server, timeout=30)


def left() -> dict[str, int]:
    """Count what this process holds: threads, open files, children, and MiB of memory now."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),  # noqa: PTH208
        "children": len(children),
        "MiB": pages * os.sysconf("SC_PAGE_SIZE") // 2**20,
    }


async def soak(episodes: int, database: Path) -> None:
    families = [(name, *scripted(assay.make(name).unwrapped)) for name in HEALTHY]  # type: ignore[arg-type]
    runners = [Runner(lambda name=name: assay.make(name), agent, concurrency=8) for name, _, agent in families]
    call = ScriptedAgent(lambda messages: ToolCall(text_of(messages[-1]), {}).render())
    broken = Runner(lambda: BrokenTools(database), call, concurrency=4, step_seconds=PATIENCE)
    dying = Runner(mcp_env, call, concurrency=1)
    troubles = [Task("wait", "wait", target="done"), Task("write", "write", target="done")]
    ends: Counter[str] = Counter()
    before: dict[str, int] = {}
    rounds, share = 10, episodes // (10 * len(families))
    for number in range(rounds):
        for (name, tasks, _), runner in zip(families, runners, strict=True):
            await play(runner, requests(tasks, share, f"{name}/{number}"), ends, "healthy:")
        faulty = episodes // rounds // FAULTY_IN
        await play(broken, requests(troubles, faulty, f"broken/{number}"), ends, "hanging or locked:")
        await play(dying, requests([Task("die", "die")], faulty // 10, f"dying/{number}"), ends, "MCP server dies:")
        time.sleep(2 * HANG)  # what still hangs comes back
        before = before or left()
        print(f"{sum(ends.values()):6} episodes: {dict(ends)}; {left()}", flush=True)
    for runner in (*runners, broken, dying):
        runner.close()
    time.sleep(2 * HANG)
    print(f"after a tenth: {before}; after closing: {left()}; cpu {time.process_time():.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--episodes", type=int, default=50_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "notes.sqlite"
        with closing(sqlite3.connect(database, isolation_level=None)) as holder:
            holder.execute("CREATE TABLE notes (text)")
            holder.execute("BEGIN EXCLUSIVE")  # and never ends
            asyncio.run(soak(options.episodes, database))


if __name__ == "__main__":
    main()
