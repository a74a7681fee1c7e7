"""Sums of what an update saw, so that its metrics are global means however the tokens were split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor


class Meters:
    """Collects losses as sums and per-token values as means, or as maxima when their name ends in `_max`."""

    def __init__(self) -> None:
        self.tokens = 0
        self._losses: dict[str, Tensor | float] = {}
        self._sums: dict[str, Tensor | float] = {}
        self._maxima: dict[str, Tensor | float] = {}

    def add(self, losses: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
        """Add a micro-batch: its summed losses, and per-token values of shape [N]. Nothing is copied off the device."""
        for name, loss in losses.items():
            self._losses[name] = self._losses.get(name, 0.0) + loss
        self.tokens += max((len(v) for v in values.values()), default=0)
        for name, value in values.items():
            if name.endswith("_max"):
                peak = value.max()
                known = self._maxima.get(name)
                self._maxima[name] = peak if known is None else peak.maximum(known)  # type: ignore[arg-type]
            else:
                self._sums[name] = self._sums.get(name, 0.0) + value.double().sum()

    def state(self) -> dict[str, Any]:
        """Return plain numbers, to send to other processes."""
        return {
            "tokens": self.tokens,
            "losses": {name: float(v) for name, v in self._losses.items()},
            "sums": {name: float(v) for name, v in self._sums.items()},
            "maxima": {name: float(v) for name, v in self._maxima.items()},
        }

    @staticmethod
    def merged(states: Iterable[Mapping[str, Any]]) -> Meters:
        """Return the meters of several processes as one."""
        out = Meters()
        for state in states:
            out.tokens += state["tokens"]
            for name, value in state["losses"].items():
                out._losses[name] = out._losses.get(name, 0.0) + value
            for name, value in state["sums"].items():
                out._sums[name] = out._sums.get(name, 0.0) + value
            for name, value in state["maxima"].items():
                out._maxima[name] = max(float(out._maxima.get(name, value)), value)
        return out

    def read(self) -> dict[str, float]:
        """Return `tokens`, the losses, the means and the maxima."""
        state = self.state()
        means = {name: total / max(self.tokens, 1) for name, total in state["sums"].items()}
        return {"tokens": float(self.tokens), **state["losses"], **means, **state["maxima"]}
