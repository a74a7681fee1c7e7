"""The directory of an evaluation: `config.yaml`, `trajectories.jsonl`, `summary.json`.

Invariants:

* A directory belongs to one configuration. Opening it with another one is refused, and the first key that differs is
  named; only what cannot change a result (`concurrency`, `retries`) may differ.
* `config.yaml` and `summary.json` are replaced whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from assay.core.errors import ConfigError, DataError
from assay.core.trajectory import Trajectory
from assay.evals.summary import EvalSummary
from assay.rollouts.store import read_trajectories

MAY_DIFFER = frozenset({"concurrency", "retries"})
_MISSING = object()


class EvalRun:
    """Paths and files of one evaluation."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.trajectories = self.path / "trajectories.jsonl"
        self.summary = self.path / "summary.json"

    def begin(self, resolved: Mapping[str, Any]) -> None:
        """Create the directory, or check that it was made with the same configuration.

        Raises `ConfigError` that names the first key that differs.
        """
        if not self.config.exists():
            if self.trajectories.exists():
                raise ConfigError(f"{self.path}: holds trajectories without a config.yaml; choose another directory")
            write_whole(self.config, yaml.safe_dump(dict(resolved), sort_keys=False, allow_unicode=True))
            return
        found = self.read_config()
        for key, ours, theirs in _differences(resolved, found):
            if key not in MAY_DIFFER:
                raise ConfigError(
                    f"{self.path}: was made with {key}={_shown(theirs)}, not {_shown(ours)}; "
                    "use the same setting to resume, or another directory"
                )

    def read_config(self) -> dict[str, Any]:
        """Return the configuration that the directory was made with."""
        try:
            found = yaml.safe_load(self.config.read_text(encoding="utf-8"))
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}", path=str(self.config)) from None
        except yaml.YAMLError as error:
            raise DataError(f"not YAML: {' '.join(str(error).split())}", path=str(self.config)) from None
        if not isinstance(found, dict):
            raise DataError("a configuration is a mapping of keys to values", path=str(self.config))
        if not isinstance(found.get("env"), str):
            raise DataError("a run of `assay train`, not of `assay eval`", path=str(self.path))
        return found

    def finish(self, summary: EvalSummary) -> None:
        """Write the summary."""
        write_whole(self.summary, summary.to_json() + "\n")

    def read(self) -> Iterator[Trajectory]:
        """Yield the finished episodes, also while the evaluation runs."""
        return read_trajectories(self.trajectories)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is either the old one or the new one, whenever the process dies."""
    draft = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(draft, "w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(draft, path)  # noqa: PTH105 - atomic, and says so
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise DataError(f"cannot be written: {error.strerror}", path=str(path)) from None


def _differences(ours: Any, theirs: Any, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield `(dotted key, ours, theirs)` of everything that differs."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for key in [*ours, *(k for k in theirs if k not in ours)]:
            yield from _differences(ours.get(key, _MISSING), theirs.get(key, _MISSING), f"{prefix}{key}.")
    elif ours != theirs:
        yield prefix.removesuffix("."), ours, theirs


def _shown(value: Any) -> str:
    return "nothing" if value is _MISSING else str(value)
