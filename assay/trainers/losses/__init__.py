"""Losses, one a file: pure functions of tokens, not reduced; and the registry that finds them by name."""

from __future__ import annotations

from typing import Any

from assay.core.registry import Registry
from assay.trainers.binding import bindable
from assay.trainers.losses.base import Diagnostics, LossFn, LossResult
from assay.trainers.losses.cispo import cispo
from assay.trainers.losses.dppo import dppo
from assay.trainers.losses.gspo import gspo
from assay.trainers.losses.importance_sampling import importance_sampling
from assay.trainers.losses.kl import kl_estimate, kl_loss
from assay.trainers.losses.nll import nll
from assay.trainers.losses.ppo_clip import ppo_clip
from assay.trainers.losses.tis import tis_weights
from assay.trainers.losses.value import value_clip

LOSSES: Registry[LossFn] = Registry("loss", "assay.losses")
"""Losses by name. A factory takes the options and returns a `LossFn`."""

for _function in (ppo_clip, gspo, cispo, dppo, importance_sampling, nll):
    LOSSES.register(_function.__name__, bindable("loss", _function))


def make_loss(name: str, **options: Any) -> LossFn:
    """Return the loss `name` with its options bound; `ConfigError` for an unknown name or option."""
    return LOSSES.make(name, **options)


__all__ = [
    "LOSSES",
    "Diagnostics",
    "LossFn",
    "LossResult",
    "cispo",
    "dppo",
    "gspo",
    "importance_sampling",
    "kl_estimate",
    "kl_loss",
    "make_loss",
    "nll",
    "ppo_clip",
    "tis_weights",
    "value_clip",
]
