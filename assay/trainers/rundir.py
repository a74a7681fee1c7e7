"""The directory of a training run, and what a resumed run must undo in it.

    config.yaml                        the resolved configuration
    metrics.jsonl, tensorboard/        one row a step
    trajectories/<kind>-<step>.jsonl   the episodes of a step
    evals/step-<step>.json             summaries of evaluations on held-out tasks
    checkpoints/step-<step>/           all it takes to go on
    reference/                         the policy before the first step, when the KL divergence to it is penalised
    model/                             the trained model, an ordinary checkpoint directory
    profile/step-<step>.json           a profiler's trace, when one was asked for

    report.html                        written by `assay report`

Invariants:

* After `rewind` the directory says nothing about steps that the checkpoint does not contain, so a step that is done
  again is recorded once.
* A run that is to be overwritten is removed only when the new one is about to begin, after all that could refuse it;
  and of the directory only what is listed above, if it is the directory of a run at all.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from assay.core.errors import ConfigError
from assay.trainers.checkpoint import Progress, checkpoints
from assay.trainers.config import TrainConfig


class RunDirectory:
    """Paths of a run."""

    def __init__(self, path: str | Path, *, overwrite: bool = False) -> None:
        self.path, self.overwrite = Path(path), overwrite
        self.config = self.path / "config.yaml"
        self.checkpoints = self.path / "checkpoints"
        self.model = self.path / "model"
        self.reference = self.path / "reference"

    @property
    def begun(self) -> bool:
        """Whether a run has left anything worth keeping here."""
        metrics = self.path / "metrics.jsonl"
        return bool(checkpoints(self.checkpoints)) or (metrics.is_file() and metrics.stat().st_size > 0)

    def find(self, *, resume: bool) -> Path | None:
        """Return the checkpoint to go on from, if there is one.

        Raises `ConfigError` when a run is there and `resume` was not asked for, or none is and it was; and when what
        is to be overwritten is no run.
        """
        if resume and self.overwrite:
            raise ConfigError(f"{self.path}: resume goes on with a run, overwrite begins a new one; choose one of them")
        if self.overwrite:
            if self.path.exists() and not (self.config.is_file() and self.checkpoints.is_dir()) and self._holds_files:
                raise ConfigError(f"{self.path}: is not the directory of a training run; nothing was removed")
            return None
        if resume and not self.config.is_file():
            raise ConfigError(f"{self.path}: there is no run to resume; start one without --resume")
        if not resume and self.begun:
            raise ConfigError(
                f"{self.path}: holds a run already; go on with it (--resume), replace it (--overwrite), or choose "
                "another directory"
            )
        return next(iter(reversed(checkpoints(self.checkpoints))), None)

    def create(self, config: TrainConfig) -> None:
        """Make the directories and write the configuration. A run that is refused before this leaves no trace."""
        try:
            if self.overwrite:
                self._clear()
            for name in ("checkpoints", "trajectories", "evals"):
                (self.path / name).mkdir(parents=True, exist_ok=True)
            config.write(self.config)
        except OSError as error:
            raise ConfigError(f"{self.path}: the run directory cannot be written: {error.strerror}") from None

    @property
    def _holds_files(self) -> bool:
        return not self.path.is_dir() or any(self.path.iterdir())

    def _clear(self) -> None:
        for name in ("checkpoints", "trajectories", "evals", "model", "reference", "tensorboard", "profile", "wandb"):
            if (self.path / name).exists():
                shutil.rmtree(self.path / name)
        for name in ("config.yaml", "metrics.jsonl", "report.html"):
            (self.path / name).unlink(missing_ok=True)

    def trajectories(self, kind: str, step: int) -> Path:
        """Return the file of the episodes of one step."""
        return self.path / "trajectories" / f"{kind}-{step:06d}.jsonl"

    def profile(self, step: int) -> Path:
        """Return the file of the profiler's trace of a step."""
        return self.path / "profile" / f"step-{step:06d}.json"

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
