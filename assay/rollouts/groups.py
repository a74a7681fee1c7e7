"""Groups: the trajectories of one task and one seed, which group-relative advantages compare.

Invariants:

* All members of a group meet the same environment (task and seed); only the agent's sampling differs.
* A group leaves out members without a verdict, and is usable while at least two are left.
* Dynamic sampling looks at the raw outcome (`Group.mixed`), never at a shaped reward.
* Groups and members come out in the order in which they were asked for, not in which they finished: what a trainer
  does with them must not depend on timing.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from assay.core.errors import AssayError, ConfigError
from assay.core.seeding import derive_seed
from assay.core.task import Task
from assay.core.trajectory import Group, Trajectory
from assay.rollouts.request import EpisodeRequest
from assay.rollouts.runner import Runner

MINIMUM_SCORED = 2
"""Members with a verdict that a group needs: with one there is nothing to compare."""


class NoSignalError(AssayError):
    """Dynamic sampling met only groups whose members all succeed or all fail."""


def group_requests(
    tasks: Iterable[Task], size: int, *, seed: int, name: str | None = None, split: str | None = None
) -> Iterator[EpisodeRequest]:
    """Yield `size` requests for each task, lazily.

    Args:
        tasks: One group for each.
        size: Members of a group.
        seed: Seed of the run. The environment's seed is a hash of it and the group's id.
        name: Groups are `<name>/00000`, `<name>/00001`, ... With it a task may come again, within the call or under
            another name. Without it a group's id is the task's, and its environment the same in every run.
        split: Split of the episodes; default: the task's.
    """
    if size < 1:
        raise ConfigError(f"a group has at least one member, not {size}")
    for number, task in enumerate(tasks):
        group_id = task.id if name is None else f"{name}/{number:05d}"
        env_seed = derive_seed("episode", seed, group_id)
        for member in range(size):
            yield EpisodeRequest(f"{group_id}#{member:03d}", group_id, task, env_seed, split or task.split)


async def collect_groups(trajectories: AsyncIterator[Trajectory], size: int) -> AsyncIterator[Group]:
    """Yield each group as soon as its `size` members are there, members in order.

    Groups that never fill up, because the source stopped, come last, as they are.
    """
    open_groups: dict[str, list[Trajectory]] = {}
    async for trajectory in trajectories:
        members = open_groups.setdefault(trajectory.group_id, [])
        members.append(trajectory)
        if len(members) == size:
            del open_groups[trajectory.group_id]
            yield _group(members)
    for members in open_groups.values():
        yield _group(members)


def make_groups(trajectories: Iterable[Trajectory]) -> list[Group]:
    """Return the groups of trajectories that are all there, ordered by id."""
    by_id: dict[str, list[Trajectory]] = {}
    for trajectory in trajectories:
        by_id.setdefault(trajectory.group_id, []).append(trajectory)
    return [_group(by_id[group_id]) for group_id in sorted(by_id)]


def _group(members: Sequence[Trajectory]) -> Group:
    return Group(members[0].group_id, tuple(sorted(members, key=lambda t: t.id)))


def usable(group: Group, minimum: int = MINIMUM_SCORED) -> Group | None:
    """Return the group without the members that have no verdict, or None when fewer than `minimum` are left."""
    scored = group.scored
    return replace(group, trajectories=scored) if len(scored) >= minimum else None


@dataclass(frozen=True, slots=True)
class Batch:
    """What dynamic sampling came back with."""

    groups: tuple[Group, ...]
    """Usable groups that were kept, in the order asked for."""
    played: tuple[Group, ...]
    """Every group that was played, whole: what curricula and metrics read."""
    fit: int
    """How many of the played groups could be kept, surplus ones included."""
    rounds: int


async def play_groups(runner: Runner, requests: Iterable[EpisodeRequest]) -> list[Group]:
    """Play all requests and return their groups, in the order of the requests."""
    order: dict[str, int] = {}
    seen: set[str] = set()

    def noted() -> Iterator[EpisodeRequest]:
        for request in requests:
            if request.group_id not in seen:
                seen.add(request.group_id)
                for group_id in runner.group_ids(request):
                    order[group_id] = len(order)
            yield request

    async with aclosing(runner.run(noted())) as episodes:
        trajectories = [trajectory async for trajectory in episodes]
    return sorted(make_groups(trajectories), key=lambda group: order[group.id])


async def sample_groups(
    runner: Runner,
    draw: Callable[[int], Iterable[EpisodeRequest]],
    wanted: int,
    *,
    keep: Callable[[Group], bool] = lambda group: group.mixed,
    max_empty_rounds: int = 8,
) -> Batch:
    """Play groups until `wanted` usable ones pass `keep`: dynamic sampling (DAPO, Yu et al. 2025, section 3.2).

    `draw(n)` returns the requests of `n` new groups, of fresh ids. A round asks for as many groups as the share kept
    so far makes likely to fill the batch, at most `wanted`; every episode of a round is awaited, since stopping early
    would favour short ones. Surplus groups are left out from the end.

    Raises `NoSignalError` after `max_empty_rounds` rounds in a row without a single group to keep.
    """
    if wanted < 1:
        raise ConfigError(f"a batch has at least one group, not {wanted}")
    kept: list[Group] = []
    played: list[Group] = []
    empty = rounds = 0
    while len(kept) < wanted:
        share = len(kept) / len(played) if played else 1.0
        missing = wanted - len(kept)
        ask = min(wanted, math.ceil(missing / share)) if share > 0 else wanted
        groups = await play_groups(runner, draw(ask))
        fit = [g for g in map(usable, groups) if g is not None and keep(g)]
        rounds, empty = rounds + 1, 0 if fit else empty + 1
        kept += fit
        played += groups
        if empty >= max_empty_rounds:
            raise NoSignalError(no_signal_reason(played, empty))
    return Batch(tuple(kept[:wanted]), tuple(played), len(kept), rounds)


def no_signal_reason(played: Sequence[Group], rounds: int) -> str:
    """Return why `rounds` rounds gave nothing to train on, and what to do about it."""
    scored = [t for group in played for t in group.scored]
    total = sum(len(group) for group in played)
    if not scored:
        error = next((t.error for group in played for t in group if t.error), "no reason recorded")
        return f"no episode of {rounds} rounds got a verdict ({total} played); the first reason: {error}"
    rate = sum(t.correct is True for t in scored) / len(scored)
    mend = "easier tasks or a longer warm start" if rate < 0.5 else "harder tasks"
    return (
        f"no group whose answers earn differently in {rounds} rounds in a row "
        f"({len(played)} groups played, {rate:.0%} of answers right); use {mend}, or larger groups"
    )
