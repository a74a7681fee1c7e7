"""Gates: when is a stage done?"""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class SuccessGate:
    """Open once at least `threshold` of at least `minimum` recent episodes are correct."""

    threshold: float = 0.8
    minimum: int = 64

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1 or self.minimum < 1:
            raise ConfigError(
                f"a gate needs a threshold in (0, 1] and a minimum from 1 on, not {self.threshold!r}, {self.minimum!r}"
            )

    def open(self, correct: float, total: float) -> bool:
        """Whether this many correct episodes of the total are enough."""
        return total >= self.minimum and correct >= self.threshold * total
