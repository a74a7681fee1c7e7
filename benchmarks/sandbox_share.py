"""The sandbox's share of a training step on code, in processor time, which a loaded machine hardly changes.

    python benchmarks/sandbox_share.py [--steps 20] [dotted.key=value ...]

Trains as `configs/code.yaml` says, for some steps. Everything that takes processor time is one of three: the programs
themselves (`seconds/sandbox` of the metrics), the slots that fork, confine and end them, and the trainer's own process,
which samples, learns, and hands programs over. A step with an evaluation, and the first one, are left out. Target: the
programs and the slots together take less than a tenth of all.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.core.config import load_config
from assay.trainers.config import TrainConfig
from assay.trainers.loop import train
from assay.trainers.reporter import SilentReporter

CONFIG = Path(__file__).parent.parent / "configs" / "code.yaml"


def slot_seconds() -> float:
    """Return the processor time that zygotes of this process and their slots, alive now, have taken themselves."""
    return sum(
        int(Path("/proc", pid, "schedstat").read_text().split()[0]) / 1e9
        for child in _children("self")
        if b"agent.zygote" in Path("/proc", child, "cmdline").read_bytes()
        for pid in (child, *_children(child))
    )


def _children(pid: str) -> list[str]:
    tasks = Path("/proc", pid, "task").iterdir()
    return [child for task in tasks for child in (task / "children").read_text().split()]


class Shares(SilentReporter):
    """Notes at each row of metrics what has been spent since the one before."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, float, float]] = []
        self._before: tuple[float, float] | None = None

    def on_row(self, row: Mapping[str, Any]) -> None:
        """Keep programs, slots, trainer, in seconds."""
        now = (slot_seconds(), time.process_time())
        if row.get("kind") != "train":
            self._before = None
            return
        if self._before is not None and row.get("seconds/sandbox") is not None:
            slots, trainer = (after - before for after, before in zip(now, self._before, strict=True))
            self.rows.append((row["seconds/sandbox"], slots, trainer))
        self._before = now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("overrides", nargs="*", help="changes to the configuration: dotted.key=value")
    options = parser.parse_args()
    overrides = [f"steps={options.steps}", "eval.tasks=8", "eval.samples=1", "eval.ks=[1]", *options.overrides]
    shares = Shares()
    with tempfile.TemporaryDirectory() as folder:
        train(load_config(TrainConfig, CONFIG, overrides), Path(folder, "run"), reporter=shares)
    programs, slots, trainer = (statistics.median(column) for column in zip(*shares.rows, strict=True))
    total = programs + slots + trainer
    print(
        f"{len(shares.rows)} steps, seconds a step: programs {programs:.3f}, slots {slots:.3f}, trainer {trainer:.3f}"
    )
    print(f"programs {programs / total:.1%} of all, with their slots {(programs + slots) / total:.1%}")


if __name__ == "__main__":
    main()
