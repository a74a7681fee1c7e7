"""The training loop: warm start, then episodes, shaped rewards, advantages, samples, update, and again.

Invariants:

* What happens in step s is a function of the configuration, the seed and the weights before it. A run that is killed
  and resumed ends with the same bits as one that is not (on one machine, with as many threads), however long verdicts
  take. Where environments wait for more than a verdict at the end (`TaskEnv.waits_to_judge`), timing decides which
  sequences share a batch, and with that how their logits are rounded; with rollouts that go on during updates it
  decides more, and `stream.py` says what is exact then.
* The engine forgets its caches after every update, so no token is ever sampled with keys and values of older weights.
* Filters read the raw outcome; the loss reads the shaped reward.
"""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from assay.evals.summary import EvalSummary
from assay.trainers import warmstart
from assay.trainers.config import TrainConfig
from assay.trainers.demonstrations import Demonstrations
from assay.trainers.evaluate import evaluate, read_evaluations
from assay.trainers.interrupt import StopSignal
from assay.trainers.memory import GIB
from assay.trainers.metrics import output_tokens, rollout_metrics
from assay.trainers.parallel import DataParallel
from assay.trainers.profiling import traced
from assay.trainers.reporter import Reporter, SilentReporter
from assay.trainers.rundir import RunDirectory
from assay.trainers.sampling import RolloutSource, Turns
from assay.trainers.session import Session
from assay.trainers.stream import Stream

ROW_EVERY = 10
"""The warm start writes a row of metrics for every so many steps."""


@dataclass(frozen=True, slots=True)
class TrainResult:
    """How a run ended."""

    run_dir: Path
    step: int
    """Steps of reinforcement learning done."""
    finished: bool
    """False when it was stopped; `train(..., resume=True)` goes on."""
    evaluations: dict[int, EvalSummary]
    """Held-out results by step, those before a resume included."""
    seconds: float
    """Time spent, over all processes that worked on the run."""


def train(
    config: TrainConfig,
    run_dir: str | Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    reporter: Reporter | None = None,
    parallel: DataParallel | None = None,
) -> TrainResult:
    """Train as `config` says and leave everything in `run_dir` (see `rundir.py`).

    A run that is there already is refused, gone on with (`resume`) or replaced (`overwrite`).

    With `parallel` this is the first of several processes, which share the weights; the others `follow`.

    The first Ctrl-C ends the step, saves a checkpoint and returns; the second one interrupts at once. Raises
    `ConfigError` for settings that make no sense, and `CheckpointError` when a checkpoint cannot be written.
    """
    run = RunDirectory(run_dir, overwrite=overwrite)
    checkpoint = run.find(resume=resume)
    with StopSignal() as stop, Session(config, run, reporter or SilentReporter(), checkpoint, parallel) as session:
        if session.memory.total > GIB:  # of less, nobody has to be told
            session.reporter.on_notice(f"memory: {session.memory}")
        gc.freeze()  # what is there by now outlives the run; every full collection would walk through it
        try:
            asyncio.run(_run(session, stop))
        finally:
            gc.unfreeze()
        session.save()
        finished = session.progress.phase == "step" and session.progress.step >= config.steps
        if finished:
            session.learner.export(run.model)
        return TrainResult(run.path, session.progress.step, finished, read_evaluations(run), session.seconds)


async def _run(session: Session, stop: StopSignal) -> None:
    if session.progress.phase == "warmstart":
        if session.demonstrations is not None:
            await _warm_start(session, session.demonstrations, stop)
        if stop.requested:
            return
        session.begin_phase("step")
    await _reinforce(session, stop)


async def _warm_start(session: Session, demonstrations: Demonstrations, stop: StopSignal) -> None:
    config, progress, reporter = session.config.warmstart, session.progress, session.reporter
    batches = warmstart.Batches(demonstrations, config, seed=session.config.seed)
    reporter.on_phase("warmstart", progress.step, config.steps)
    while progress.step < config.steps and not stop.requested:
        numbers = session.learner.imitate(await batches.batch(progress.step))
        progress.step += 1
        reporter.on_progress(progress.step)
        if progress.step % ROW_EVERY == 0:
            session.log("warmstart", progress.step, numbers)
        if progress.step % config.checkpoint_every == 0:
            session.save()


async def _reinforce(session: Session, stop: StopSignal) -> None:
    """The loop."""
    config, progress = session.config, session.progress
    session.reporter.on_phase("train", progress.step, config.steps)
    await session.publish(progress.step)
    session.learner.keep_reference(session.run.reference, first=progress.step == 0)
    await _evaluate_and_save(session)
    source: RolloutSource = Stream(session) if config.rollout.staleness else Turns(session)
    async with aclosing(source):
        while progress.step < config.steps and not stop.requested:
            started = time.perf_counter()
            with traced(session.run.profile(progress.step + 1) if progress.step + 1 == config.profile else None):
                batch = await source.batch()
                await session.look_after(batch.played, batch.tasks)
                sampled = time.perf_counter()
                update = await source.learn(batch.groups)
            learned = time.perf_counter()
            session.log(
                "train",
                progress.step,
                {
                    **rollout_metrics(batch.played, session.engine.max_context),
                    "groups": len(batch.groups),
                    "tokens_per_second/rollout": output_tokens(batch.played) / max(sampled - started, 1e-9),
                    **update,
                    **session.notes(),
                    "seconds/rollout": sampled - started,
                    "seconds/update": learned - sampled - update["seconds/weights"],
                },
            )
            session.reporter.on_progress(progress.step)
            await _evaluate_and_save(session, always=progress.step == config.steps)


async def _evaluate_and_save(session: Session, *, always: bool = False) -> None:
    progress, step = session.progress, session.progress.step
    if progress.evaluated < step and (always or step % session.config.eval.every == 0):
        await evaluate(session)
        progress.evaluated = step
    if always or step % session.config.checkpoint.every == 0:
        session.save()
