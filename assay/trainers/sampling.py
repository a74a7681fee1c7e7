"""Where the groups of a step come from when rollouts and updates take turns.

Invariant: step s takes the same tasks with the same seeds whenever it runs, so a resumed run repeats an unbroken one,
bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from assay.core.task import Task
from assay.core.trajectory import Group
from assay.curricula import Pick
from assay.rollouts.groups import MINIMUM_SCORED, group_requests, play_groups, sample_groups, usable
from assay.rollouts.request import EpisodeRequest
from assay.trainers import episodes
from assay.trainers.config import TrainConfig
from assay.trainers.session import Session


@dataclass(frozen=True, slots=True)
class Batch:
    """The groups of one step."""

    played: Sequence[Group]
    """All of them, whole: what metrics, curricula and the watch over the verifier read."""
    groups: Sequence[Group]
    """Those to train on."""
    tasks: Mapping[str, Task]
    """The tasks that were played, by id."""


class RolloutSource(Protocol):
    """Plays groups and trains on them, in turns or at the same time."""

    async def batch(self) -> Batch:
        """Return the groups of the next step."""
        ...

    async def learn(self, groups: Sequence[Group]) -> dict[str, float]:
        """Take the update of a step, count the step, and hand the new weights to the engine.

        Return metrics, `seconds/weights` among them: the time that the hand-over took.
        """
        ...

    async def aclose(self) -> None:
        """Stop playing."""
        ...


def fit(group: Group, config: TrainConfig) -> Group | None:
    """Return the members of a group that are trained on, or None when the group is not."""
    kept = usable(group, min(config.rollout.group_size, MINIMUM_SCORED))
    return kept if kept is not None and (config.algorithm.dynamic_sampling == "keep" or kept.mixed) else None


class Turns:
    """Rollouts, update, rollouts, update."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def batch(self) -> Batch:
        """Play the episodes of the next step."""
        session = self._session
        rollout, progress, mode = session.config.rollout, session.progress, session.config.algorithm.dynamic_sampling
        step, drawn, curriculum = progress.step + 1, progress.next_task, session.curriculum
        picks: list[Pick] = []
        known: dict[str, Task] = {}

        def draw(count: int) -> list[EpisodeRequest]:
            if curriculum is None:
                tasks = list(episodes.draw(session.tasks, progress.next_task, count))
            else:
                picks.extend(new := curriculum.draw(count))
                tasks = [pick.task for pick in new]
            known.update((task.id, task) for task in tasks)
            name = f"step-{step:06d}/{progress.next_task - drawn:04d}"
            progress.next_task += count
            return list(group_requests(tasks, rollout.group_size, seed=session.config.seed, name=name))

        with session.record("train", step) as session.runner.store:
            if mode == "refill":
                found = await sample_groups(session.runner, draw, rollout.groups)
                played, groups = list(found.played), list(found.groups)
            else:
                played = await play_groups(session.runner, draw(rollout.groups))
                groups = [kept for group in played if (kept := fit(group, session.config)) is not None]
        if curriculum is not None:
            episodes.observe(curriculum, picks, played)
        return Batch(played, groups, known)

    async def learn(self, groups: Sequence[Group]) -> dict[str, float]:
        """Update while the engine sleeps."""
        session = self._session
        asleep = session.config.rollout.engine == "vllm"
        if asleep:
            await session.engine.sleep()
        numbers = session.learner.learn(groups)
        if asleep:
            await session.engine.wake()
        return numbers | await session.publish(session.progress.step + 1)

    async def aclose(self) -> None:
        """Do nothing: between steps nothing is being played."""
