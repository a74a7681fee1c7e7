"""The directory of a training run, and what a resumed run must undo in it.

    config.yaml                        the resolved configuration
    metrics.jsonl, tensorboard/        one row a step
    trajectories/<kind>-<step>.jsonl   the episodes of a step
    evals/step-<step>.json             summaries of evaluations on held-out tasks
    checkpoints/step-<step>/           all it takes to go on
    model/                             the trained model, an ordinary checkpoint directory

Invariant: after `rewind` the directory says nothing about steps that the checkpoint does not contain, so a step that
is done again is recorded once.
"""

from __future__ import annotations

from pathlib import Path

from assay.core.errors import ConfigError
from assay.trainers.checkpoint import Progress, checkpoints
from assay.trainers.config import TrainConfig


class RunDirectory:
    """Paths of a run."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.checkpoints = self.path / "checkpoints"
        self.model = self.path / "model"

    @property
    def begun(self) -> bool:
        """Whether a run has left anything worth keeping here."""
        metrics = self.path / "metrics.jsonl"
        return bool(checkpoints(self.checkpoints)) or (metrics.is_file() and metrics.stat().st_size > 0)

    def find(self, *, resume: bool) -> Path | None:
        """Return the checkpoint to go on from, if there is one.

        Raises `ConfigError` when a run is there and `resume` was not asked for, or none is and it was.
        """
        if resume and not self.config.is_file():
            raise ConfigError(f"{self.path}: there is no run to resume; start one without resume")
        if not resume and self.begun:
            raise ConfigError(f"{self.path}: holds a run already; resume it, or choose another directory")
        return next(iter(reversed(checkpoints(self.checkpoints))), None)

    def create(self, config: TrainConfig) -> None:
        """Make the directories and write the configuration. A run that is refused before this leaves no trace."""
        try:
            for name in ("checkpoints", "trajectories", "evals"):
                (self.path / name).mkdir(parents=True, exist_ok=True)
            config.write(self.config)
        except OSError as error:
            raise ConfigError(f"{self.path}: the run directory cannot be written: {error.strerror}") from None

    def trajectories(self, kind: str, step: int) -> Path:
        """Return the file of the episodes of one step."""
        return self.path / "trajectories" / f"{kind}-{step:06d}.jsonl"

    def evaluation(self, step: int) -> Path:
        """Return the file of the evaluation after this many steps."""
        return self.path / "evals" / f"step-{step:06d}.json"

    def rewind(self, progress: Progress) -> None:
        """Remove the files of what was done after `progress`."""
        trained = progress.step if progress.phase == "step" else 0
        for pattern, last in {
            "trajectories/train-*.jsonl": trained,
            "trajectories/eval-*.jsonl": progress.evaluated,
            "evals/step-*.json": progress.evaluated,
        }.items():
            for path in self.path.glob(pattern):
                if int(path.stem.rpartition("-")[2]) > last:
                    path.unlink()
