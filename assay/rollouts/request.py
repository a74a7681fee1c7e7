"""EpisodeRequest: an episode that somebody wants played."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.seeding import derive_seed
from assay.core.task import Task


@dataclass(frozen=True, slots=True)
class EpisodeRequest:
    """One episode to play: which task, with which seeds, and under which id it is stored.

    All members of a group share `group_id`, `task` and `seed`, so that the environment is the same for each; their
    `id`s differ, and with them the agent's sampling.
    """

    id: str
    """Unique in the run."""
    group_id: str
    task: Task
    seed: int
    """Seed of the environment."""
    split: str = "train"

    @property
    def sampling_seed(self) -> int:
        """Seed of everything that the agent draws: a hash of the environment's seed and the id."""
        return derive_seed("sampling", self.seed, self.id)
