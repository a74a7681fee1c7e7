"""Advantage estimators, one a file, and the registry that finds them by name."""

from __future__ import annotations

from typing import Any

from assay.core.registry import Registry
from assay.trainers.advantages.base import AdvantageFn, Advantages, GroupAdvantages
from assay.trainers.advantages.dr_grpo import dr_grpo
from assay.trainers.advantages.gae import gae, token_gae
from assay.trainers.advantages.gdpo import gdpo
from assay.trainers.advantages.gigpo import gigpo
from assay.trainers.advantages.grpo import grpo
from assay.trainers.advantages.maxrl import maxrl
from assay.trainers.advantages.pure import pure
from assay.trainers.advantages.reinforce_pp import reinforce_pp
from assay.trainers.advantages.reinforce_pp_baseline import reinforce_pp_baseline
from assay.trainers.advantages.rloo import rloo
from assay.trainers.advantages.step_process import step_process
from assay.trainers.advantages.turn_discount import turn_discount
from assay.trainers.binding import bindable

ADVANTAGES: Registry[AdvantageFn] = Registry("advantage", "assay.advantages")
"""Estimators by name. A factory takes the options and returns an `AdvantageFn`."""

for _function in (
    grpo,
    dr_grpo,
    rloo,
    reinforce_pp,
    reinforce_pp_baseline,
    maxrl,
    gdpo,
    gigpo,
    pure,
    step_process,
    turn_discount,
):
    ADVANTAGES.register(_function.__name__, bindable("advantage", _function))


def make_advantage(name: str, **options: Any) -> AdvantageFn:
    """Return the estimator `name` with its options bound; `ConfigError` for an unknown name or option."""
    return ADVANTAGES.make(name, **options)


__all__ = [
    "ADVANTAGES",
    "AdvantageFn",
    "Advantages",
    "GroupAdvantages",
    "dr_grpo",
    "gae",
    "gdpo",
    "gigpo",
    "grpo",
    "make_advantage",
    "maxrl",
    "pure",
    "reinforce_pp",
    "reinforce_pp_baseline",
    "rloo",
    "step_process",
    "token_gae",
    "turn_discount",
]
