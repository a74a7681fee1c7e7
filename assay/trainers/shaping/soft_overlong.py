"""Soft overlong punishment: a ramp before the length limit instead of a cliff at it (DAPO, arXiv 2503.14476)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.errors import ConfigError
from assay.core.trajectory import Group
from assay.trainers.shaping.base import add_rewards, lengths


def soft_overlong(groups: Sequence[Group], *, max_tokens: int, buffer: int) -> list[Group]:
    """Add 0 up to max_tokens - buffer sampled tokens, then a linear fall to -1 at max_tokens, and -1 beyond."""
    if not 0 < buffer <= max_tokens:
        raise ConfigError(f"shaper 'soft_overlong': buffer must be in 1..max_tokens ({max_tokens}), not {buffer}")
    start = max_tokens - buffer
    return [
        add_rewards(group, -np.clip((lengths(group) - start) / buffer, 0.0, 1.0), "soft_overlong") for group in groups
    ]
