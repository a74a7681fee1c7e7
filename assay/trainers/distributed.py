"""A run of several processes, started by torchrun: they share the weights, and each takes its part of every update.

The first process runs the loop: it plays the episodes, writes metrics and checkpoints, and talks. Its calls of the
learner are what the others repeat with theirs, on the same groups, so that every collective finds all of them.

Invariants:

* A step is that of one process, to rounding: weights of tokens are global before samples are dealt out.
* Only the first process writes to the run directory, and only it prints: settings that are refused are refused in all.
* A process that fails ends all: the connections of the others break, and torchrun stops what is left.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

from assay.core.errors import Fault
from assay.trainers.algorithm import Algorithm
from assay.trainers.checkpoint import Phase
from assay.trainers.config import TrainConfig
from assay.trainers.learner import Learner
from assay.trainers.parallel import DataParallel
from assay.trainers.policy import load_policy
from assay.trainers.sharding import lost_process

PATIENCE = timedelta(days=7)
"""How long processes wait for the first one, which may be playing episodes. One that ends is noticed at once."""


@contextlib.contextmanager
def team() -> Iterator[DataParallel | None]:
    """Join the processes that torchrun started, for the time of the context; None when this one is alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield None
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
    parallel = DataParallel()
    if parallel.rank:  # the first process ends the step, saves, and then lets the others go
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    try:
        yield parallel
        if parallel.rank == 0:
            parallel.broadcast(None)  # that was all
    except RuntimeError as error:
        if not lost_process(error):
            raise
        if parallel.rank:
            raise SystemExit(1) from error
        raise Fault("another process of the run has ended; go on from the last checkpoint with --resume") from error
    dist.destroy_process_group()


def follow(config: TrainConfig, parallel: DataParallel) -> None:
    """Repeat what the first process does with its learner, until it has finished."""
    phase: Phase
    checkpoint: Path | None
    policy = load_policy(config.model, config.seed)
    phase, checkpoint = parallel.broadcast(None)
    learner = Learner(config, Algorithm(config.algorithm), policy, phase, parallel)
    if checkpoint is not None:
        learner.restore(checkpoint)
    while (call := parallel.broadcast(None)) is not None:
        name, arguments = call
        getattr(learner, name)(*arguments)
