"""Advantage estimators, one a file, and the registry that finds them by name."""

from __future__ import annotations

from typing import Any

from assay.core.registry import Registry
from assay.trainers.advantages.base import AdvantageFn, Advantages, GroupAdvantages
from assay.trainers.advantages.dr_grpo import dr_grpo
from assay.trainers.advantages.grpo import grpo
from assay.trainers.binding import bindable

ADVANTAGES: Registry[AdvantageFn] = Registry("advantage", "assay.advantages")
"""Estimators by name. A factory takes the options and returns an `AdvantageFn`."""

for _function in (grpo, dr_grpo):
    ADVANTAGES.register(_function.__name__, bindable("advantage", _function))


def make_advantage(name: str, **options: Any) -> AdvantageFn:
    """Return the estimator `name` with its options bound; `ConfigError` for an unknown name or option."""
    return ADVANTAGES.make(name, **options)


__all__ = ["ADVANTAGES", "AdvantageFn", "Advantages", "GroupAdvantages", "dr_grpo", "grpo", "make_advantage"]
