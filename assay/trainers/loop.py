"""The training loop: warm start, then episodes, shaped rewards, advantages, samples, update, and again.

Invariants:

* What happens in step s is a function of the configuration, the seed and the weights before it. A run that is killed
  and resumed ends with the same bits as one that is not (on one machine, with as many threads).
* The engine shares the trainer's module and forgets its caches after every update, so no token is ever sampled with
  keys and values of older weights.
* Filters read the raw outcome; the loss reads the shaped reward.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.core.task import Task
from assay.core.trajectory import Group
from assay.curricula import Pick
from assay.evals.summary import EvalSummary
from assay.rollouts.groups import MINIMUM_SCORED, group_requests, play_groups, sample_groups, usable
from assay.rollouts.request import EpisodeRequest
from assay.trainers import episodes, warmstart
from assay.trainers.config import TrainConfig
from assay.trainers.demonstrations import Demonstrations
from assay.trainers.evaluate import evaluate, read_evaluations
from assay.trainers.interrupt import StopSignal
from assay.trainers.metrics import rollout_metrics
from assay.trainers.reporter import Reporter, SilentReporter
from assay.trainers.rundir import RunDirectory
from assay.trainers.session import Session

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
) -> TrainResult:
    """Train as `config` says and leave everything in `run_dir` (see `rundir.py`).

    A run that is there already is refused, gone on with (`resume`) or replaced (`overwrite`).

    The first Ctrl-C ends the step, saves a checkpoint and returns; the second one interrupts at once. Raises
    `ConfigError` for settings that make no sense, and `CheckpointError` when a checkpoint cannot be written.
    """
    run = RunDirectory(run_dir, overwrite=overwrite)
    checkpoint = run.find(resume=resume)
    with StopSignal() as stop, Session(config, run, reporter or SilentReporter(), checkpoint) as session:
        gc.freeze()  # what is there by now outlives the run; every full collection would walk through it
        try:
            asyncio.run(_run(session, stop))
        finally:
            gc.unfreeze()
        session.save()
        finished = session.progress.phase == "step" and session.progress.step >= config.steps
        if finished:
            session.policy.export(run.model)
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
    await session.engine.update_weights(None, progress.step)
    session.learner.keep_reference(session.run.reference, first=progress.step == 0)
    await _evaluate_and_save(session)
    while progress.step < config.steps and not stop.requested:
        started = time.perf_counter()
        played, groups = await _sample(session)
        sampled = time.perf_counter()
        update = session.learner.learn(groups)
        progress.step += 1
        await session.engine.update_weights(None, progress.step)
        updated = time.perf_counter()
        seconds = {"seconds/rollout": sampled - started, "seconds/update": updated - sampled}
        lesson = session.curriculum.metrics() if session.curriculum is not None else {}
        watched = session.watch.monitor.metrics(progress.step) if session.watch is not None else {}
        numbers = {**rollout_metrics(played), "groups": len(groups), **update, **lesson, **watched, **seconds}
        session.log("train", progress.step, numbers)
        session.reporter.on_progress(progress.step)
        await _evaluate_and_save(session, always=progress.step == config.steps)


async def _sample(session: Session) -> tuple[Sequence[Group], Sequence[Group]]:
    """Play the episodes of the next step; return all groups, and those to train on."""
    rollout, progress, mode = session.config.rollout, session.progress, session.config.algorithm.dynamic_sampling
    step, drawn, curriculum = progress.step + 1, progress.next_task, session.curriculum
    picks: list[Pick] = []
    drawn_tasks: dict[str, Task] = {}

    def draw(count: int) -> list[EpisodeRequest]:
        if curriculum is None:
            tasks = list(episodes.draw(session.tasks, progress.next_task, count))
        else:
            picks.extend(new := curriculum.draw(count))
            tasks = [pick.task for pick in new]
        drawn_tasks.update((task.id, task) for task in tasks)
        name = f"step-{step:06d}/{progress.next_task - drawn:04d}"
        progress.next_task += count
        return list(group_requests(tasks, rollout.group_size, seed=session.config.seed, name=name))

    with session.record("train", step) as session.runner.store:
        if mode == "refill":
            batch = await sample_groups(session.runner, draw, rollout.groups)
            played, fit = list(batch.played), list(batch.groups)
        else:
            played = await play_groups(session.runner, draw(rollout.groups))
            least = min(rollout.group_size, MINIMUM_SCORED)
            fit = [group for group in (usable(group, least) for group in played) if group is not None]
            fit = [group for group in fit if group.mixed] if mode == "drop" else fit
    if curriculum is not None:
        episodes.observe(curriculum, picks, played)
    if session.watch is not None and await session.watch.observe(step, played, drawn_tasks):
        session.reporter.on_notice(session.watch.alert())
    return played, fit


async def _evaluate_and_save(session: Session, *, always: bool = False) -> None:
    progress, step = session.progress, session.progress.step
    if progress.evaluated < step and (always or step % session.config.eval.every == 0):
        await evaluate(session)
        progress.evaluated = step
    if always or step % session.config.checkpoint.every == 0:
        session.save()
