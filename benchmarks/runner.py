"""Overhead of the rollout scheduler: turns per second with a scripted agent, against threads.

    python benchmarks/runner.py [--episodes 2048] [--concurrency 512]

Plays 3-turn episodes of a trivial environment with an agent that only gives way to the others, so that all that is
measured is the scheduler. The peer, interleaved with it, is what people write first: `asyncio.gather` over all
episodes, each running the synchronous environment in `asyncio.to_thread` (a new environment for each episode). Prints
the turns/s of both, their ratio, how the time grows with four times the episodes, and the memory that a further
episode costs while episodes are not kept.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import time
import tracemalloc
from collections.abc import Sequence
from contextlib import aclosing

from assay.core.message import Message, Observation, user
from assay.core.task import Task, TaskList
from assay.core.tool import Tool
from assay.core.trajectory import Turn
from assay.core.verdict import Verdict, right
from assay.envs.base import Progress, TaskEnv
from assay.rollouts import EpisodeRequest, Runner
from assay.verifiers.base import Evidence, Verifier

TURNS = 3
TASKS = TaskList([Task("echo", "say three things")])


class Always(Verifier):
    """Everything is right."""

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        return right()


class Echo(TaskEnv):
    """Answers every turn with a short message; ends with the third."""

    def __init__(self) -> None:
        super().__init__(TASKS, Always(), max_turns=TURNS)

    def advance(self, action: str) -> Progress:
        messages: list[Message] = [user("go on")]
        return Progress(messages, done=self.turn == TURNS)


class Parrot:
    """An agent that gives way to the others, as one that waits for an engine does, and answers."""

    def open(self, *, tools: Sequence[Tool] = (), seed: int = 0) -> Parrot:
        return self

    async def act(self, observation: Observation, *, max_tokens: int | None = None) -> Turn:
        await asyncio.sleep(0)
        return Turn("hello")


def requests(n: int) -> list[EpisodeRequest]:
    return [EpisodeRequest(f"e{i}", f"g{i}", TASKS[0], seed=i) for i in range(n)]


async def scheduled(n: int, concurrency: int) -> int:
    """Play n episodes with the Runner; return the number of turns."""
    turns = 0
    with Runner(Echo, Parrot(), concurrency=concurrency) as runner:
        async with aclosing(runner.run(requests(n))) as episodes:
            async for trajectory in episodes:
                turns += len(trajectory.steps)
    return turns


async def naive(n: int, concurrency: int) -> int:
    """Play n episodes with gather over threads; return the number of turns."""
    places = asyncio.Semaphore(concurrency)

    async def episode(request: EpisodeRequest) -> int:
        async with places:
            env, agent, turns, over = Echo(), Parrot(), 0, False
            try:
                observation, _ = await asyncio.to_thread(env.reset, seed=request.seed, options={"task": request.task})
                while not over:
                    turn = await agent.act(observation)
                    observation, _, terminated, truncated, _ = await asyncio.to_thread(env.step, turn.text)
                    turns, over = turns + 1, terminated or truncated
            finally:
                env.close()
            return turns

    return sum(await asyncio.gather(*(episode(request) for request in requests(n))))


def rate(play, n: int, concurrency: int) -> float:  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    turns = asyncio.run(play(n, concurrency))
    assert turns == n * TURNS
    return turns / (time.perf_counter() - started)


def peak_bytes(n: int, concurrency: int) -> int:
    gc.collect()
    tracemalloc.start()
    asyncio.run(scheduled(n, concurrency))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--episodes", type=int, default=2048)
    parser.add_argument("--concurrency", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    n, width = options.episodes, options.concurrency

    ours, theirs, fourfold = [], [], []
    rate(scheduled, n, width)  # warm up
    for _ in range(options.rounds):
        ours.append(rate(scheduled, n, width))
        fourfold.append(rate(scheduled, 4 * n, width))
        theirs.append(rate(naive, n, width))
    fast, slow = statistics.median(ours), statistics.median(theirs)
    small, large = peak_bytes(n, width), peak_bytes(4 * n, width)
    print(f"assay Runner:            {fast:9,.0f} turns/s ({width} episodes in flight, {n} in all)")
    print(f"asyncio.gather, threads: {slow:9,.0f} turns/s")
    print(f"ratio:                   {fast / slow:9.1f}x")
    print(f"time for {4 * n} episodes over 4 x the time for {n}: {max(ours) / max(fourfold):.2f} (1 is linear)")
    print(f"memory for each further episode: {(large - small) / (3 * n):,.0f} bytes (peak {large / 2**20:.1f} MiB)")


if __name__ == "__main__":
    main()
