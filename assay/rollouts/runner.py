"""Runner: the one scheduler that plays episodes, for training, evaluation and audits alike.

Invariants:

* At most `concurrency` episodes are in flight, and at most as many finished ones wait for the reader: memory is flat
  in the number of episodes, and a slow reader slows the players down. With `hand_over` those that are only being judged
  do not count.
* Every episode that was dispatched and finished is in the store exactly once, *before* it is yielded.
* One failing episode is a record, never an exception. What does end a run: a mistake that the user can mend when
  environments are made (`AssayError`), a store that cannot be written, and cancellation.
* When a run ends, in whatever way, no episode of it is left in flight, and environments that were in use are closed
  or idle. `close()` (or leaving the `with` block) closes the idle ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from assay.agents.base import Agent
from assay.core.errors import AssayError, ConfigError
from assay.core.task import NO_LIMITS, Limits
from assay.core.trajectory import Trajectory
from assay.rollouts.episode import not_played, nothing, play
from assay.rollouts.pool import AnyEnv, EnvPool
from assay.rollouts.request import EpisodeRequest
from assay.rollouts.threads import StepThreads

if TYPE_CHECKING:
    from assay.rollouts.store import TrajectoryStore


@dataclass(frozen=True, slots=True)
class _End:
    """Last item of a run's queue."""

    error: Exception | None = None


class RunnerOptions(TypedDict, total=False):
    """The optional arguments of `Runner`, for what passes them on."""

    concurrency: int
    limits: Limits
    step_threads: int
    step_seconds: float | None
    retries: int
    hand_over: bool
    store: TrajectoryStore | None


class Runner:
    """Plays episodes of one kind of environment with one agent.

    Args:
        make_env: Returns a new environment; called at most `concurrency` times while none fails.
        agent: Who acts.
        concurrency: Episodes in flight.
        limits: Limits of every episode; the tighter of these and the task's own holds.
        step_threads: Threads for environments that may wait.
        step_seconds: Time for one `reset` or `step` of such an environment; then the episode fails. None: no limit.
        retries: How often an episode that failed is played again before it is recorded as failed.
        hand_over: Whether an episode gives its place to the next one when all it waits for is its verifier. What the
            agent is asked next to what then does not depend on how long verdicts take; but only the number of requests
            bounds that of environments.
        store: Where every finished episode is recorded.
    """

    def __init__(
        self,
        make_env: Callable[[], AnyEnv],
        agent: Agent,
        *,
        concurrency: int = 256,
        limits: Limits = NO_LIMITS,
        step_threads: int = 256,
        step_seconds: float | None = 600.0,
        retries: int = 0,
        hand_over: bool = False,
        store: TrajectoryStore | None = None,
    ) -> None:
        if concurrency < 1 or retries < 0:
            raise ConfigError(f"concurrency must be at least 1 and retries 0, not {concurrency} and {retries}")
        self.agent, self.concurrency, self.limits, self.store = agent, concurrency, limits, store
        self._step_seconds, self._retries, self._hand_over = step_seconds, retries, hand_over
        self._threads = StepThreads(step_threads)
        self._pool = EnvPool(make_env, self._threads)

    async def run(self, requests: Iterable[EpisodeRequest]) -> AsyncGenerator[Trajectory, None]:
        """Play all requests and yield each trajectory as it finishes, in the order of finishing.

        `requests` is read lazily, one for each free place. Stop early with `contextlib.aclosing`.
        """
        source = iter(requests)
        finished: asyncio.Queue[Trajectory | _End] = asyncio.Queue(maxsize=self.concurrency)
        workers: list[asyncio.Task[None]] = []
        for _ in range(self.concurrency):
            self._start(source, finished, workers)
        supervisor = asyncio.create_task(_supervise(workers, finished))
        keep_environments = False
        try:
            while not isinstance(item := await finished.get(), _End):
                yield item
            if item.error is not None:
                raise item.error
            keep_environments = True
        except GeneratorExit:  # a reader that has enough may come back for more
            keep_environments = True
            raise
        finally:
            await _stop(supervisor, *workers)
            if not keep_environments:
                self.close()

    async def play(self, request: EpisodeRequest, spoken: Callable[[], None] = nothing) -> Trajectory:
        """Play one episode, record it and return it: for who schedules episodes otherwise than `run` does."""
        trajectory = await self._play(request, spoken)
        if self.store is not None:
            self.store.append(trajectory)
        return trajectory

    async def records(self, request: EpisodeRequest, spoken: Callable[[], None] = nothing) -> list[Trajectory]:
        """Play one request and return its records, which are in the store: one, or one for each role.

        `spoken` is called as `episode.play` says, perhaps again when an episode that failed is played again.
        """
        return [await self.play(request, spoken)]

    def group_ids(self, request: EpisodeRequest) -> list[str]:
        """Return the groups that the records of a request belong to."""
        return [request.group_id]

    def _start(
        self,
        source: Iterator[EpisodeRequest],
        finished: asyncio.Queue[Trajectory | _End],
        workers: list[asyncio.Task[None]],
    ) -> None:
        """Add a worker, which plays one episode after the other until its place goes to a new one."""
        handed_over = False

        def hand_over() -> None:
            nonlocal handed_over
            if not handed_over:
                handed_over = True
                self._start(source, finished, workers)

        async def work() -> None:
            for request in source:
                for trajectory in await self.records(request, hand_over if self._hand_over else nothing):
                    await finished.put(trajectory)
                if handed_over:
                    return
                await asyncio.sleep(0)  # agents that never wait would otherwise starve the reader and the timers

        workers.append(asyncio.create_task(work()))

    async def _play(self, request: EpisodeRequest, spoken: Callable[[], None]) -> Trajectory:
        for attempt in range(self._retries + 1):  # noqa: B007 - read after the loop
            trajectory = await self._try(request, spoken)
            if not trajectory.faulted:
                break
        if attempt:
            trajectory = replace(trajectory, metadata={**trajectory.metadata, "attempts": attempt + 1})
        return trajectory

    async def _try(self, request: EpisodeRequest, spoken: Callable[[], None]) -> Trajectory:
        try:
            lease, healthy = self._pool.acquire(), False
        except AssayError:  # a mistake that every episode would meet
            raise
        except Exception as error:  # noqa: BLE001 - a sandbox that does not start costs one episode, not the run
            return not_played(request, error)
        try:
            trajectory = await play(
                lease, self.agent, request, self.limits, step_seconds=self._step_seconds, spoken=spoken
            )
            healthy = trajectory.verdict is not None
        finally:
            await self._pool.release(lease, healthy=healthy)
        return trajectory

    def close(self) -> None:
        """Close the environments and let the threads go. Idempotent; the runner can be used again afterwards."""
        self._pool.close()
        self._threads.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _supervise(workers: Sequence[asyncio.Task[None]], finished: asyncio.Queue[Trajectory | _End]) -> None:
    """Tell the reader when the workers are done, or what the first one to break broke on."""
    seen = 0
    try:
        while new := workers[seen:]:  # those that took a place over join the others
            seen += len(new)
            await asyncio.gather(*new)
    except Exception as error:  # noqa: BLE001 - carried to the reader and raised there
        await finished.put(_End(error))
    else:
        await finished.put(_End())


async def _stop(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def run_episodes(
    make_env: Callable[[], AnyEnv],
    agent: Agent,
    requests: Iterable[EpisodeRequest],
    *,
    on_finish: Callable[[Trajectory], None] | None = None,
    **options: Unpack[RunnerOptions],
) -> list[Trajectory]:
    """Play all requests and return the trajectories in the order of the requests: `Runner` for code without asyncio.

    The options are those of `Runner`; `on_finish` is called with each trajectory as it finishes, for progress bars.
    """
    wanted = list(requests)
    if len({request.id for request in wanted}) != len(wanted):
        raise ConfigError("the ids of the requested episodes are not unique")

    async def collect() -> dict[str, Trajectory]:
        done: dict[str, Trajectory] = {}
        with Runner(make_env, agent, **options) as runner:
            async with aclosing(runner.run(wanted)) as trajectories:
                async for trajectory in trajectories:
                    done[trajectory.id] = trajectory
                    if on_finish is not None:
                        on_finish(trajectory)
        return done

    by_id = asyncio.run(collect())
    return [by_id[request.id] for request in wanted]
