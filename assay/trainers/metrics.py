"""Metrics of a run: rows of `metrics.jsonl`, mirrored to TensorBoard.

Invariants:

* Every row is flat and names its `kind`, its `step` and the seconds since the run began; numbers are finite, what is
  not defined is null.
* `offset` is the length of the file in bytes. A resumed run truncates the file to the offset of its checkpoint, so
  a step that is done again is recorded once.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

Kind = Literal["warmstart", "train", "eval"]


class MetricsLog:
    """Writes the metrics of a run directory. Every row is on its way to the disk when `write` returns."""

    def __init__(self, run_dir: Path, *, offset: int = 0, tensorboard: bool = False) -> None:
        """Open the log, with everything after the first `offset` bytes removed."""
        path = run_dir / "metrics.jsonl"
        path.touch()
        os.truncate(path, min(offset, path.stat().st_size))
        self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115 - closed by close()
        self._board: Any = None
        if tensorboard:
            from torch.utils.tensorboard.writer import SummaryWriter

            self._board = SummaryWriter(str(run_dir / "tensorboard"))  # type: ignore[no-untyped-call]

    @property
    def offset(self) -> int:
        """Bytes written so far."""
        return self._file.tell()

    def write(self, kind: Kind, step: int, seconds: float, numbers: Mapping[str, float | int | None]) -> dict[str, Any]:
        """Append one row and return it."""
        values = {name: _finite(value) for name, value in numbers.items()}
        row = {"kind": kind, "step": step, "time": round(seconds, 3), **values}
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in values.items():
                if value is not None:
                    self._board.add_scalar(f"{kind}/{name}", value, step)
        return row

    def close(self) -> None:
        """Close the files. Idempotent."""
        self._file.close()
        if self._board is not None:
            self._board.close()


def read_metrics(run_dir: str | Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a run's metrics; a last line that is half written is left out."""
    path = Path(run_dir) / "metrics.jsonl"
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


def _finite(value: float | int | None) -> float | int | None:
    if value is None or not math.isfinite(value):
        return None
    return int(value) if isinstance(value, int) else float(f"{value:.6g}")
