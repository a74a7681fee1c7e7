"""Where else the metrics of a run go: Weights & Biases and trackio, when they are asked for and installed.

Invariant: a tracker is a mirror. `metrics.jsonl` is complete without it, and a tracker that fails after it has started
costs its own rows, never the run's.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from assay.core.errors import ConfigError

logger = logging.getLogger(__name__)

TrackerName = Literal["wandb", "trackio"]


class Tracker:
    """One of the services, both of which have the interface that Weights & Biases introduced."""

    def __init__(self, name: TrackerName, run_dir: Path, config: Mapping[str, Any]) -> None:
        """Start a run of the service under the name of the run directory. `ConfigError` when it is not installed.

        Whether anything leaves the machine is the service's own setting, such as `WANDB_MODE=offline`.
        """
        try:
            self._module: Any = importlib.import_module(name)
        except ImportError:
            raise ConfigError(f"trackers: {name} is not installed: pip install {name}") from None
        options: dict[str, Any] = {"project": "assay", "name": run_dir.resolve().name, "config": dict(config)}
        if name == "wandb":
            options |= {"dir": str(run_dir), "resume": "allow"}
        self._name, self._broken = name, False
        self._run = self._module.init(**options)

    def write(self, kind: str, step: int, numbers: Mapping[str, float | int | None]) -> None:
        """Send one row."""
        if self._broken:
            return
        row = {f"{kind}/{name}": value for name, value in numbers.items() if value is not None}
        try:
            self._module.log({**row, f"{kind}/step": step})
        except Exception as error:  # noqa: BLE001 - a service that is gone must not end the run
            self._broken = True
            logger.warning("%s takes no more metrics: %s: %s", self._name, type(error).__name__, error)

    def close(self) -> None:
        """End the service's run."""
        try:
            self._module.finish()
        except Exception as error:  # noqa: BLE001 - nor may its farewell
            logger.warning("%s did not finish: %s: %s", self._name, type(error).__name__, error)


def open_trackers(names: Sequence[TrackerName], run_dir: Path, config: Mapping[str, Any]) -> list[Tracker]:
    """Start the trackers of these names."""
    return [Tracker(name, run_dir, config) for name in names]
