"""Reward-shaping and curriculum wrappers: plain Gymnasium wrappers, and the registry that finds them by name.

Configurations list them as `wrappers: [{name: step_cost, cost: 0.01}]`. Other packages add theirs through the entry
point group `assay.wrappers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from assay.core.registry import Registry
from assay.envs.wrappers.base import AnyEnv, Outcome, RewardWrapper
from assay.envs.wrappers.cost import StepCost, ToolCost
from assay.envs.wrappers.curriculum import CurriculumTasks
from assay.envs.wrappers.length import LengthPenalty, SoftOverlong
from assay.envs.wrappers.noise import NoisyReward
from assay.envs.wrappers.novelty import NoveltyBonus
from assay.envs.wrappers.potential import PotentialShaping, SubgoalShaping
from assay.envs.wrappers.text import FormatBonus, RepetitionPenalty

WRAPPERS: Registry[AnyEnv] = Registry("wrapper", "assay.wrappers")
"""Reward wrappers by name. A factory takes the environment as `env`, and its options."""

_BUILT_IN: tuple[type[RewardWrapper], ...] = (
    FormatBonus,
    LengthPenalty,
    NoisyReward,
    NoveltyBonus,
    PotentialShaping,
    RepetitionPenalty,
    SoftOverlong,
    StepCost,
    SubgoalShaping,
    ToolCost,
)
for _wrapper in _BUILT_IN:
    WRAPPERS.register(_wrapper.name, _wrapper)


def wrap(env: AnyEnv, wrappers: Iterable[Mapping[str, Any]]) -> AnyEnv:
    """Put wrappers around an environment, the first one innermost. Each entry is a `name` and the options."""
    for entry in wrappers:
        options = dict(entry)
        env = WRAPPERS.make(options.pop("name"), env=env, **options)
    return env


__all__ = [
    "WRAPPERS",
    "CurriculumTasks",
    "FormatBonus",
    "LengthPenalty",
    "NoisyReward",
    "NoveltyBonus",
    "Outcome",
    "PotentialShaping",
    "RepetitionPenalty",
    "RewardWrapper",
    "SoftOverlong",
    "StepCost",
    "SubgoalShaping",
    "ToolCost",
    "wrap",
]
