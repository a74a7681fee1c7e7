"""Reward shapers over groups and batches, one a file, and the registry that finds them by name."""

from __future__ import annotations

from typing import Any

from assay.core.registry import Registry
from assay.trainers.binding import bindable
from assay.trainers.shaping.base import Shaper, StatefulShaper, add_rewards
from assay.trainers.shaping.dast import dast
from assay.trainers.shaping.dominant import verifier_dominant
from assay.trainers.shaping.dylr import dylr
from assay.trainers.shaping.lagrangian import Lagrangian
from assay.trainers.shaping.par_shaper import Par
from assay.trainers.shaping.pareto_mask import pareto_mask
from assay.trainers.shaping.soft_overlong import soft_overlong
from assay.trainers.shaping.top_lambda_length import top_lambda_length
from assay.trainers.shaping.unlikeliness import unlikeliness

SHAPERS: Registry[Shaper] = Registry("shaper", "assay.shapers")
"""Shapers by name. A factory takes the options and returns a `Shaper`."""

for _function in (dast, dylr, pareto_mask, soft_overlong, top_lambda_length, unlikeliness, verifier_dominant):
    SHAPERS.register(_function.__name__, bindable("shaper", _function))
SHAPERS.register("lagrangian", Lagrangian)
SHAPERS.register("par", Par)


def make_shaper(name: str, **options: Any) -> Shaper:
    """Return the shaper `name` with its options bound; `ConfigError` for an unknown name or option.

    A shaper that has state also has `metrics`, `state_dict` and `load_state_dict` (`StatefulShaper`).
    """
    return SHAPERS.make(name, **options)


__all__ = [
    "SHAPERS",
    "Lagrangian",
    "Par",
    "Shaper",
    "StatefulShaper",
    "add_rewards",
    "dast",
    "dylr",
    "make_shaper",
    "pareto_mask",
    "soft_overlong",
    "top_lambda_length",
    "unlikeliness",
    "verifier_dominant",
]
