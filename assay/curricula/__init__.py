"""What comes next: policies that choose among arms by what training shows, all checkpointed, all deterministic.

An *arm* is a source of tasks: a difficulty level, a tag, a single task. Policies read raw outcomes only, never a
shaped reward. Other packages add theirs through the entry point group `assay.curricula`.
"""

from __future__ import annotations

from typing import Any

from assay.core.registry import Registry
from assay.curricula.arms import Arm, arms_by
from assay.curricula.band import Band
from assay.curricula.base import Policy, WeightedPolicy
from assay.curricula.curriculum import Curriculum, Pick
from assay.curricula.gates import SuccessGate
from assay.curricula.gaussian import Gaussian
from assay.curricula.learnability import Learnability
from assay.curricula.odsw import OnlineDifficulty
from assay.curricula.staged import Staged
from assay.curricula.thompson import Thompson
from assay.curricula.uniform import Uniform

POLICIES: Registry[Policy] = Registry("curriculum policy", "assay.curricula")
"""Policies by name. A factory takes the number of arms as `arms`, the run's `seed`, and its options."""

for _policy in (Band, Gaussian, Learnability, OnlineDifficulty, Staged, Thompson, Uniform):
    POLICIES.register(_policy.name, _policy)


def make_policy(name: str, arms: int, *, seed: int = 0, **options: Any) -> Policy:
    """Return the policy `name` over `arms` arms; `ConfigError` for an unknown name or option."""
    return POLICIES.make(name, arms=arms, seed=seed, **options)


__all__ = [
    "POLICIES",
    "Arm",
    "Band",
    "Curriculum",
    "Gaussian",
    "Learnability",
    "OnlineDifficulty",
    "Pick",
    "Policy",
    "Staged",
    "SuccessGate",
    "Thompson",
    "Uniform",
    "WeightedPolicy",
    "arms_by",
    "make_policy",
]
