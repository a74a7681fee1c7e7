"""`evaluate`: play every task n times, record each episode as it finishes, and summarise.

Invariants:

* A run that was stopped, even by `kill -9`, goes on where it was: no episode is lost that had finished, none is played
  twice. The result does not depend on how often it was stopped.
* The environment's seed depends on the run's seed and the task alone: two agents evaluated with one seed meet the same
  environments, so that their results can be compared pair by pair.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from assay.agents.base import Agent
from assay.core.errors import ConfigError
from assay.core.registry import make
from assay.core.task import Task, TaskSet
from assay.core.trajectory import Trajectory
from assay.evals.config import EvalConfig
from assay.evals.rundir import EvalRun
from assay.evals.summary import EvalSummary, summarise
from assay.rollouts.groups import group_requests
from assay.rollouts.pool import AnyEnv
from assay.rollouts.runner import Runner
from assay.rollouts.store import TrajectoryStore


def evaluate(
    config: EvalConfig,
    agent: Agent,
    run_dir: str | Path,
    *,
    agent_spec: Mapping[str, Any] | None = None,
    retry_faults: bool = False,
    on_start: Callable[[int, int], None] | None = None,
    on_finish: Callable[[Trajectory], None] | None = None,
) -> EvalSummary:
    """Evaluate an agent and leave everything in `run_dir`; start or resume. For code without asyncio.

    Args:
        config: What to evaluate.
        agent: Who acts. It must sample as `config.sampling` says.
        run_dir: New, or that of a run of the same configuration, which is then resumed.
        agent_spec: What identifies the agent (model, endpoint); kept with the configuration, and compared on resume.
        retry_faults: Play the episodes again that a fault ended in an earlier run of this directory.
        on_start: Called once with the number of episodes already done and that of all.
        on_finish: Called with each trajectory as it finishes, for progress bars.

    Raises:
        ConfigError: A setting makes no sense, or the directory belongs to another configuration.
        DataError: A file cannot be read or written.
    """
    return asyncio.run(
        evaluate_async(
            config,
            agent,
            run_dir,
            agent_spec=agent_spec,
            retry_faults=retry_faults,
            on_start=on_start,
            on_finish=on_finish,
        )
    )


async def evaluate_async(
    config: EvalConfig,
    agent: Agent,
    run_dir: str | Path,
    *,
    agent_spec: Mapping[str, Any] | None = None,
    retry_faults: bool = False,
    on_start: Callable[[int, int], None] | None = None,
    on_finish: Callable[[Trajectory], None] | None = None,
) -> EvalSummary:
    """Do what `evaluate` does, on a running loop."""
    config, make_env, tasks = select_tasks(config)
    run = EvalRun(run_dir)
    run.begin(_plain({**config.model_dump(), "agent": dict(agent_spec or {})}))
    wanted = list(group_requests(tasks, config.samples, seed=config.seed, split=config.split))
    with TrajectoryStore(run.trajectories) as store:
        _check_stored(store, {request.id for request in wanted})
        if retry_faults:
            store.discard({trajectory.id for trajectory in store if trajectory.faulted})
        left = [request for request in wanted if request.id not in store]
        if on_start is not None:
            on_start(len(store), len(wanted))
        runner = Runner(
            make_env,
            agent,
            concurrency=config.concurrency,
            limits=config.limits.limits(),
            retries=config.retries,
            store=store,
        )
        with runner:
            async with aclosing(runner.run(left)) as episodes:
                async for trajectory in episodes:
                    if on_finish is not None:
                        on_finish(trajectory)
    summary = summarise(run.read(), config.ks, level=config.level)
    run.finish(summary)
    return summary


def tasks_of_run(run: EvalRun) -> Sequence[Task]:
    """Return the tasks that an evaluation's directory says it was made with."""
    found = {key: value for key, value in run.read_config().items() if key in EvalConfig.model_fields}
    return select_tasks(EvalConfig.model_validate(found))[2]


def select_tasks(config: EvalConfig) -> tuple[EvalConfig, Callable[[], AnyEnv], Sequence[Task]]:
    """Return the configuration with its split resolved, what makes environments, and the tasks to evaluate on.

    `ConfigError` for an environment without tasks, or endless tasks without a number of them.
    """
    if config.split is not None:
        config = config.model_copy(update={"env_options": {"split": config.split, **config.env_options}})
    source = _tasks_of(config)
    if config.split is None and "split" not in config.env_options and source.size is None:
        config = config.model_copy(update={"env_options": {"split": "eval", **config.env_options}})
        source = _tasks_of(config)
    if source.size is None and config.tasks is None:
        raise ConfigError(f"environment {config.env!r} has endless tasks; say how many: tasks=256, for example")
    count = source.size if config.tasks is None else config.tasks
    chosen = list(source.head(count or 0))
    if not chosen:
        raise ConfigError(f"environment {config.env!r} has no tasks of this split")
    options = dict(config.env_options)
    return config, lambda: make(config.env, **options), chosen


def _tasks_of(config: EvalConfig) -> TaskSet:
    env = make(config.env, **config.env_options)
    try:
        tasks = getattr(env.unwrapped, "tasks", None)
    finally:
        env.close()
    if not isinstance(tasks, TaskSet):
        raise ConfigError(f"environment {config.env!r} has no `tasks`; evaluation needs an environment with a TaskSet")
    return tasks


def _check_stored(store: TrajectoryStore, wanted: set[str]) -> None:
    """Refuse a store of other tasks: the data behind the configuration has changed since."""
    strange = next((stored for stored in store.ids if stored not in wanted), None)
    if strange is not None:
        raise ConfigError(
            f"{store.path}: holds episode {strange!r}, which is none of this evaluation; have its tasks changed?"
        )


def _plain(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration as YAML gives it back: lists for tuples, text for paths."""
    plain: dict[str, Any] = json.loads(json.dumps(resolved, default=str))
    return plain
