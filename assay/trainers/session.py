"""Everything that a training run works with, built from its configuration: what the loop does not have to see.

Invariant: building a session from a checkpoint gives the state that the run had when it was written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from assay.agents.chat import ChatAgent
from assay.agents.engines.base import Engine, SamplingParams
from assay.audits.training import CAVEAT
from assay.core.message import text_of
from assay.core.task import Task
from assay.core.trajectory import Group
from assay.rollouts.roles import RoleRunner
from assay.rollouts.runner import Runner
from assay.rollouts.store import TrajectoryStore
from assay.trainers import episodes
from assay.trainers.algorithm import Algorithm
from assay.trainers.checkpoint import Phase, Progress, read_state
from assay.trainers.config import TrainConfig
from assay.trainers.demonstrations import Demonstrations
from assay.trainers.engines import open_engine, shares_weights
from assay.trainers.learner import Learner
from assay.trainers.memory import check_memory
from assay.trainers.metrics import Kind, MetricsLog, read_metrics
from assay.trainers.parallel import DataParallel
from assay.trainers.policy import autocast_dtype, load_policy
from assay.trainers.reporter import Reporter
from assay.trainers.room import check_room
from assay.trainers.rundir import RunDirectory
from assay.trainers.signals import Alerts
from assay.trainers.tokenizer import check_vocabulary
from assay.trainers.trackers import open_trackers
from assay.trainers.watch import Watch


class Session:
    """The parts of a run. A context manager: leaving it closes what is open."""

    def __init__(
        self,
        config: TrainConfig,
        run: RunDirectory,
        reporter: Reporter,
        checkpoint: Path | None,
        parallel: DataParallel | None = None,
    ) -> None:
        """Build everything, and restore `checkpoint` when there is one. `parallel`: share the weights out."""
        self._processes = 1 if parallel is None else parallel.size
        self.config, self.run, self.reporter = config, run, reporter
        self.algorithm = Algorithm(config.algorithm)
        if (error_rates := config.algorithm.noise) is not None:
            reporter.on_notice(f"rewards are corrected for the verifier's errors ({error_rates.method}). {CAVEAT}")
        self.watch = Watch(config.monitor, seed=config.seed) if config.monitor is not None else None
        self.make_env = episodes.env_maker(config.env, "train")
        self.make_eval_env = episodes.env_maker(config.env, "eval")
        self.tasks = episodes.tasks_of(self.make_env, config.env.id)
        self.eval_tasks = episodes.tasks_of(self.make_eval_env, config.env.id)
        self.curriculum = episodes.make_curriculum(config, self.tasks)
        sources = [self.tasks, *episodes.tasks_beyond(config, self.curriculum)]
        openings = list(episodes.openings(self.make_env, sources, count=32 if config.model.path is None else 8))
        if config.model.path is None:
            said = (text_of(message) for observation, _ in openings for message in observation)
            check_vocabulary(config.model.vocabulary, said)
        self.policy = load_policy(config.model, config.seed)
        self.memory = check_memory(config, self.policy.model, self.policy.device, self._processes)
        dtype = autocast_dtype(config.model)
        self.engine = open_engine(config.rollout, self.policy, dtype, seed=config.seed, processes=self._processes)
        self.progress = Progress()
        phase: Phase = read_state(checkpoint)["phase"] if checkpoint else "warmstart"
        if parallel is not None:
            parallel.broadcast((phase, checkpoint))
        self.learner = Learner(config, self.algorithm, self.policy, phase, parallel)
        if checkpoint is not None:
            self.progress = self.learner.restore(checkpoint)
            if self.curriculum is not None:
                self.curriculum.load_state_dict(self.progress.curriculum)
            if self.watch is not None:
                self.watch.load_state_dict(self.progress.monitor)
        agent = self.agent(self.engine, config.rollout.temperature)
        prompts = [agent.prompt_length(observation, tools) for observation, tools in openings]
        if notice := check_room(config, prompts, self.engine.max_context):
            reporter.on_notice(notice)
        seats = RoleRunner if config.rollout.self_play else Runner
        self.runner = seats(
            self.make_env,
            agent,
            concurrency=config.rollout.concurrency,
            limits=episodes.episode_limits(config.rollout),
            hand_over=True,
        )
        self.demonstrations = (
            Demonstrations(
                self.make_env,
                self.tasks,
                config.warmstart.styles,
                self.agent(self.engine, 1.0),
                seed=config.seed,
            )
            if config.warmstart.steps
            else None
        )
        run.create(config)
        run.rewind(self.progress)
        self.metrics = MetricsLog(
            run.path,
            offset=self.progress.metrics_offset,
            tensorboard=config.tensorboard,
            trackers=open_trackers(config.trackers, run.path, config.model_dump(mode="json")),
        )
        self.alerts = Alerts()
        for row in read_metrics(run.path):
            if row["kind"] == "train":
                self.alerts.observe(row)
        self._started = time.perf_counter() - self.progress.seconds
        self._saved = self.progress.name if checkpoint else ""

    def agent(self, engine: Engine, temperature: float) -> ChatAgent:
        """Return the agent that plays through `engine`."""
        rollout = self.config.rollout
        sampling = SamplingParams(max_tokens=rollout.max_tokens, temperature=temperature)
        return ChatAgent(engine, self.policy.tokenizer, tool_format=rollout.tool_format, sampling=sampling)

    def begin_phase(self, phase: Phase) -> None:
        """Begin a phase, at its first step."""
        self.progress.phase, self.progress.step = phase, 0
        self.learner.begin(phase)

    async def publish(self, step: int) -> dict[str, float]:
        """Count the steps as `step`, and let the engine have the weights as they are now under this version.

        Return the metric of the time that it took.
        """
        self.progress.step = step
        shared, started = shares_weights(self.config.rollout, self._processes), time.perf_counter()
        source = None if shared else self.learner.weights()
        await self.engine.update_weights(source, step)
        return {"seconds/weights": time.perf_counter() - started}

    async def look_after(self, played: Sequence[Group], tasks: Mapping[str, Task]) -> None:
        """Let the watch over the verifier check a sample of the episodes, and tell when its alarm goes on."""
        if self.watch is not None and await self.watch.observe(self.progress.step + 1, played, tasks):
            self.reporter.on_notice(self.watch.alert())

    def notes(self) -> dict[str, float | None]:
        """Return the metrics of curriculum and watch, where there are any."""
        lesson = self.curriculum.metrics() if self.curriculum is not None else {}
        watched = self.watch.monitor.metrics(self.progress.step) if self.watch is not None else {}
        return {**lesson, **watched}

    @property
    def seconds(self) -> float:
        """Time spent on the run, over all processes."""
        return time.perf_counter() - self._started

    def log(self, kind: Kind, step: int, numbers: Mapping[str, float | None]) -> None:
        """Write a row of metrics and tell the reporter, and what it warns of."""
        row = self.metrics.write(kind, step, self.seconds, numbers)
        self.reporter.on_row(row)
        for text in self.alerts.observe(row) if kind == "train" else ():
            self.reporter.on_notice(text)

    @contextmanager
    def record(self, kind: str, step: int) -> Iterator[TrajectoryStore | None]:
        """Open the store for the episodes of a step; None when those of this step are not wanted."""
        if kind == "train" and step % self.config.rollout.record_every:
            yield None
        else:
            with TrajectoryStore(self.run.trajectories(kind, step)) as store:
                yield store

    def save(self) -> None:
        """Write a checkpoint of this moment, unless it is there already."""
        if self._saved == self.progress.name:
            return
        self.progress.metrics_offset, self.progress.seconds = self.metrics.offset, self.seconds
        if self.curriculum is not None:
            self.progress.curriculum = self.curriculum.state_dict()
        if self.watch is not None:
            self.progress.monitor = self.watch.state_dict()
        path = self.learner.save(self.run.checkpoints, self.progress)
        self._saved = self.progress.name
        self.reporter.on_checkpoint(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as stack:
            stack.callback(self.metrics.close)
            stack.callback(lambda: asyncio.run(self.engine.close()))
            stack.callback(self.runner.close)
            if self.watch is not None:
                stack.callback(self.watch.close)
            if self.demonstrations is not None:
                stack.callback(self.demonstrations.close)
