"""Env × Agent → Trajectory: the scheduler, groups, and the store of finished episodes."""

from assay.core.task import Limits
from assay.rollouts.groups import (
    Batch,
    NoSignalError,
    collect_groups,
    group_requests,
    make_groups,
    play_groups,
    sample_groups,
    usable,
)
from assay.rollouts.progress import EpisodeProgress
from assay.rollouts.request import EpisodeRequest
from assay.rollouts.roles import RoleRunner, play_roles
from assay.rollouts.runner import Runner, run_episodes
from assay.rollouts.store import TrajectoryStore, read_trajectories

__all__ = [
    "Batch",
    "EpisodeProgress",
    "EpisodeRequest",
    "Limits",
    "NoSignalError",
    "RoleRunner",
    "Runner",
    "TrajectoryStore",
    "collect_groups",
    "group_requests",
    "make_groups",
    "play_groups",
    "play_roles",
    "read_trajectories",
    "run_episodes",
    "sample_groups",
    "usable",
]
