"""Playing episodes with scripted and random agents, for the tests of environments."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

import numpy as np

from assay.core.task import TaskSet


def episode(env, task, actions):
    """Play one episode; return its steps. Stops when the episode is over or the actions run out."""
    env.reset(options={"task": task}, seed=0)
    steps = []
    for action in actions:
        steps.append(env.step(action))
        if steps[-1][2] or steps[-1][3]:
            break
    return steps


def final(env, task, actions: Iterable[str]):
    """Play to the end; return the reward of the last step and the verdict."""
    step = episode(env, task, actions)[-1]
    return step[1], step[4]["verdict"]


def rate(env, agent: Callable[..., Iterable[str]], tasks: int | TaskSet = 1000) -> float:
    """Return the share of tasks (the first so many, or the given ones) that `agent(task, rng)`'s turns solve."""
    rng = np.random.default_rng(0)
    chosen = env.tasks.head(tasks) if isinstance(tasks, int) else tasks
    return float(np.mean([bool(final(env, task, agent(task, rng))[1].correct) for task in chosen]))


def forever(*turns: str):
    """An agent that says the same turns in a circle."""
    return lambda task, rng: itertools.cycle(turns)


def prompt_of(task) -> str:
    """Return all the text of a prompt."""
    return "\n".join(m["content"] for m in task.messages())
