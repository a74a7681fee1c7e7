"""Rollouts that go on while the update runs: groups are dispatched all the time, and a step takes what is finished.

The engine has weights of its own. An update runs in a thread; when it is done, the new weights are handed over, and
episodes in flight go on with them from their next token on. Every token keeps the log-probability that the weights
gave it which sampled it, and the loss compares with that.

Invariants, for a bound of `staleness` updates and B groups a step:

* What step s trains on was sampled by version s - staleness or later, every token of it; a group is never thrown away
  for its age, which would favour short episodes. Instead a step waits where it must: after it, the groups of version u
  or older that are left are at most (u + staleness - s) * B, those that the steps before their time can take.
* Backpressure: at most (staleness + 1) * B groups are in flight or waiting, `staleness * B` during an update. Both
  bounds together guarantee that a step can always be filled.
* With `refill` only groups that can be trained on are counted, and a step takes exactly B of those.
* Which groups a step takes depends on timing, so two runs differ. What is exact: every dispatched group is played to
  its end and taken by one step; groups in flight at a checkpoint are played again from their beginning, with the same
  seeds, when a run goes on from there; and an update is a function of the checkpoint before it and of the episodes that
  it trained on, in the order in which `trajectories/` holds them. Replayed, it gives the same bits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from assay.core.task import Task
from assay.core.trajectory import Group, Trajectory
from assay.rollouts.groups import NoSignalError, group_requests, no_signal_reason
from assay.rollouts.request import EpisodeRequest
from assay.trainers import episodes
from assay.trainers.sampling import Batch, fit
from assay.trainers.session import Session

MAX_EMPTY = 8
"""So many steps' groups in a row without one to train on end the run."""


@dataclass(slots=True)
class _Flight:
    """A group that is being played."""

    version: int
    """That of the weights when it began."""
    work: asyncio.Task[None]


class Stream:
    """Plays groups in the background. `Progress` holds its state: what was `drawn`, and what of it is `pending`."""

    def __init__(self, session: Session) -> None:
        """Dispatch again what was in flight at the checkpoint, and then as many groups as the bounds let."""
        self._session, config = session, session.config
        self._wanted, self._staleness = config.rollout.groups, config.rollout.staleness
        self._refill = config.algorithm.dynamic_sampling == "refill"
        self._places = asyncio.Semaphore(config.rollout.concurrency)
        self._changed = asyncio.Event()
        self._flights: dict[str, _Flight] = {}
        self._fit: dict[str, Group | None] = {g.id: fit(g, config) for g in session.progress.pending}
        self._tasks = {name: self._task(*source) for name, source in session.progress.drawn.items()}
        self._updating = False
        self._error: BaseException | None = None
        finished = {_name(group) for group in session.progress.pending}
        for name, (arm, _) in session.progress.drawn.items():
            if name not in finished:
                self._dispatch(name, arm)
        self._fill()

    async def batch(self) -> Batch:
        """Wait until a step can be taken, and cut its groups from what is finished."""
        progress = self._session.progress
        while (chosen := self._cut()) is None:
            self._changed.clear()
            await self._changed.wait()
            if self._error is not None:
                raise self._error
            self._check_signal()
        unfit = [group for group in progress.pending if self._refill and self._fit[group.id] is None]
        played = [*chosen, *unfit]
        groups = [kept for group in chosen if (kept := self._fit[group.id]) is not None]
        tasks = {task.id: task for group in played if (task := self._tasks.pop(_name(group)))}
        for group in played:
            del self._fit[group.id], progress.drawn[_name(group)]
        progress.pending = [group for group in progress.pending if group.id in self._fit]
        with self._session.record("train", progress.step + 1) as store:
            if store is not None:
                for trajectory in (member for group in played for member in group):
                    store.append(trajectory)
        return Batch(played, groups, tasks)

    async def learn(self, groups: Sequence[Group]) -> dict[str, float]:
        """Update in a thread while the rollouts go on; then hand over the weights."""
        session = self._session
        numbers = {
            **staleness(groups, session.progress.step),
            "queue/ready": float(len(session.progress.pending)),
            "queue/running": float(len(self._flights)),
        }
        self._updating = True
        numbers |= await asyncio.to_thread(session.learner.learn, groups)
        self._updating = False
        numbers |= await session.publish(session.progress.step + 1)
        self._fill()
        return numbers

    async def aclose(self) -> None:
        """Stop playing. What was in flight stays noted, for a checkpoint that is written later."""
        works = [flight.work for flight in self._flights.values()]
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)

    # -- dispatching ------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Dispatch new groups up to the bound."""
        progress, curriculum = self._session.progress, self._session.curriculum
        limit = (self._staleness + (0 if self._updating else 1)) * self._wanted
        while len(self._flights) + len(self._countable()) < limit:
            name = f"group-{progress.next_task:08d}"
            if curriculum is None:
                progress.drawn[name] = (None, progress.next_task)
            else:
                (pick,) = curriculum.draw(1)
                progress.drawn[name] = (pick.arm, pick.number)
            progress.next_task += 1
            self._tasks[name] = self._task(*progress.drawn[name])
            self._dispatch(name, progress.drawn[name][0])

    def _dispatch(self, name: str, arm: int | None) -> None:
        config = self._session.config
        requests = list(group_requests([self._tasks[name]], config.rollout.group_size, seed=config.seed, name=name))
        work = asyncio.create_task(self._play(name, arm, requests))
        work.add_done_callback(self._ended)
        self._flights[name] = _Flight(self._session.progress.step, work)

    async def _play(self, name: str, arm: int | None, requests: Sequence[EpisodeRequest]) -> None:
        session = self._session

        async def one(request: EpisodeRequest) -> Trajectory:
            async with self._places:
                return await session.runner.play(request)

        async with asyncio.TaskGroup() as members:
            works = [members.create_task(one(request)) for request in requests]
        group = Group(requests[0].group_id, tuple(work.result() for work in works))
        session.progress.pending.append(group)
        del self._flights[name]
        self._fit[group.id] = fit(group, session.config)
        if session.curriculum is not None and arm is not None:
            outcomes = [member.correct for member in group if member.correct is not None]
            session.curriculum.observe(arm, sum(outcomes), len(outcomes))
        self._fill()
        self._changed.set()

    def _ended(self, work: asyncio.Task[None]) -> None:
        """Remember what a group broke on, for `batch` to raise: faults of single episodes never come here."""
        if not work.cancelled() and (error := work.exception()) is not None:
            self._error = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error
            self._changed.set()

    def _task(self, arm: int | None, number: int) -> Task:
        session = self._session
        if arm is None or session.curriculum is None:
            (task,) = episodes.draw(session.tasks, number, 1)
            return task
        return session.curriculum.find(arm, number).task

    # -- cutting ----------------------------------------------------------------------------------------------

    def _countable(self) -> list[Group]:
        """Return the finished groups that a step would take."""
        return [g for g in self._session.progress.pending if not self._refill or self._fit[g.id] is not None]

    def _cut(self) -> list[Group] | None:
        """Return the groups of the next step, or None while it has to wait."""
        ready = self._countable()
        flying = [flight.version for flight in self._flights.values()]
        chosen = cut(
            [oldest_version(group) for group in ready],
            flying,
            step=self._session.progress.step,
            wanted=self._wanted,
            staleness=self._staleness,
        )
        return None if chosen is None else [ready[n] for n in chosen]

    def _check_signal(self) -> None:
        unfit = [group for group in self._session.progress.pending if self._fit[group.id] is None]
        if self._refill and len(unfit) >= MAX_EMPTY * self._wanted and not self._countable():
            raise NoSignalError(no_signal_reason(unfit, MAX_EMPTY))


def cut(ready: Sequence[int], flying: Sequence[int], *, step: int, wanted: int, staleness: int) -> list[int] | None:
    """Return the `wanted` finished groups that step number `step` (from 0) takes, or None while it has to wait.

    `ready` holds the oldest version of each finished group, in the order of finishing, `flying` the version at which
    each unfinished one began. The oldest groups are taken first; the step waits while too many old ones would be left
    for the steps that can still take them.
    """
    order = sorted(range(len(ready)), key=lambda n: ready[n])
    chosen = order[:wanted]
    if len(chosen) < wanted:
        return None
    left = [*flying, *(ready[n] for n in order[wanted:])]
    for version in set(left):
        if sum(v <= version for v in left) > max(0, version + staleness - step) * wanted:
            return None
    return chosen


def _name(group: Group) -> str:
    """Return the name under which a group was drawn."""
    return group.id.rpartition("/")[0]


def oldest_version(group: Group) -> int:
    """Return the oldest version that sampled a token of the group; 0 when no member has any."""
    return min((t.weight_version for t in group if t.steps), default=0)


def staleness(groups: Sequence[Group], version: int) -> dict[str, float]:
    """Return how many updates lie between the tokens of `groups` and `version`: mean over tokens, and maximum."""
    ages = [
        (version - at, tokens)
        for group in groups
        for trajectory in group
        for step in trajectory.steps
        for at, tokens in step.turn.weight_spans or ((step.turn.weight_version, len(step.turn.output_ids)),)
    ]
    total = sum(tokens for _, tokens in ages)
    return {
        "staleness": sum(age * tokens for age, tokens in ages) / total if total else 0.0,
        "staleness_max": float(max((age for age, tokens in ages if tokens), default=0)),
    }
