"""Settings of process-reward training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from assay.core.config import Config


class PRMConfig(Config):
    """How a labelling head is fitted."""

    epochs: PositiveInt = 2
    batch: PositiveInt = 64
    """Solutions in one step of the optimiser."""
    learning_rate: PositiveFloat = 1e-4
    weight_decay: NonNegativeFloat = 0.01
    grad_clip: PositiveFloat = 1.0
    target: Literal["soft", "hard"] = "soft"
    """`soft`: the share of right rollouts. `hard`: 1 when one of them was right (Math-Shepherd's two estimates)."""
    separator: str = Field("\n", min_length=1)
    """Written after every step; the scorer needs the same (`format_options: {separator: ...}`)."""
    seed: int = 0
