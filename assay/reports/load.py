"""Read a run directory of training or evaluation: metrics, evaluation summaries, trajectories.

A run may still be going on: files that are not there yet are simply missing from the result, and a torn last line is
left out. The episodes of an unfinished evaluation are summarised as far as they go.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from assay.core.errors import DataError
from assay.core.trajectory import Trajectory
from assay.evals.summary import EvalSummary, summarise
from assay.rollouts.store import read_trajectories


@dataclass(frozen=True, slots=True)
class RunData:
    """What a report needs of a run."""

    path: Path
    config: dict[str, Any] = field(default_factory=dict)
    config_text: str = ""
    metrics: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Rows of `metrics.jsonl` by kind: `warmstart`, `train`, `eval`. Empty for an evaluation."""
    evals: dict[int, EvalSummary] = field(default_factory=dict)
    """Evaluation summaries by step; an evaluation run has one, under step 0."""
    finished: bool = True
    """False when there is more to come, or was when the run was stopped."""

    @property
    def trained(self) -> bool:
        """Whether this is a run of training."""
        return bool(self.metrics)

    @property
    def step(self) -> int:
        """The last step of training that is recorded."""
        rows = self.metrics.get("train", [])
        return int(rows[-1]["step"]) if rows else 0

    @property
    def seconds(self) -> float:
        """Seconds from the beginning of the run to the last row of metrics."""
        return max((float(rows[-1].get("time", 0.0)) for rows in self.metrics.values() if rows), default=0.0)

    def episodes(self, step: int) -> list[Trajectory]:
        """Return the stored episodes of the evaluation at this step."""
        name = f"trajectories/eval-{step:06d}.jsonl" if self.trained else "trajectories.jsonl"
        path = self.path / name
        return list(read_trajectories(path)) if path.is_file() else []

    def curve(self, kind: str, name: str) -> tuple[list[float], list[float]]:
        """Return steps and values of one metric, where it is defined."""
        rows = [row for row in self.metrics.get(kind, []) if row.get(name) is not None]
        return [float(row["step"]) for row in rows], [float(row[name]) for row in rows]

    def names(self, kind: str, prefix: str) -> list[str]:
        """Return the names of metrics that begin with a prefix."""
        return sorted({name for row in self.metrics.get(kind, []) for name in row if name.startswith(prefix)})


def load_run(path: str | Path) -> RunData:
    """Read a run directory. `DataError` when it is none, or nothing is recorded in it yet."""
    root = Path(path)
    if not (root / "config.yaml").is_file():
        raise DataError("not a run directory (no config.yaml in it)", path=str(root))
    text = (root / "config.yaml").read_text(encoding="utf-8")
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DataError(f"not YAML: {' '.join(str(error).split())}", path=str(root / "config.yaml")) from None
    if not isinstance(config, dict):
        raise DataError("a configuration is a mapping of keys to values", path=str(root / "config.yaml"))
    metrics: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(root / "metrics.jsonl"):
        metrics.setdefault(row["kind"], []).append(row)
    evals = {int(f.stem.rpartition("-")[2]): EvalSummary.read(f) for f in sorted((root / "evals").glob("step-*.json"))}
    finished = (root / "model").is_dir() if metrics else (root / "summary.json").is_file()
    if (root / "summary.json").is_file():
        evals[0] = EvalSummary.read(root / "summary.json")
    elif not metrics and (root / "trajectories.jsonl").is_file():
        episodes = list(read_trajectories(root / "trajectories.jsonl"))
        if episodes:
            evals[0] = summarise(episodes, (1,))
    if not metrics and not evals:
        raise DataError("nothing is recorded yet (no metrics, no episodes)", path=str(root))
    return RunData(root, config, text, metrics, evals, finished)


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(keepends=True), 1):
        if not line.endswith("\n"):
            break  # being written
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"not JSON ({error.msg})", path=str(path), line=number) from None
        if not isinstance(row, dict) or not isinstance(row.get("kind"), str) or not isinstance(row.get("step"), int):
            raise DataError("not a row of metrics: it needs kind and step", path=str(path), line=number)
        rows.append(row)
    return rows
