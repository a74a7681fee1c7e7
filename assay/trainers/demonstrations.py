"""Demonstrations as token streams: an environment's own examples, played by the agent that will be trained.

Invariant: the turns pass through the agent's own conversation (chat template, tool format, observation tokens), with an
engine that says what it is told. So the model sees in the warm start exactly the tokens that it will see afterwards.
Nothing is filtered: what a style gets wrong stays in, as in a base model's data.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from copy import copy
from dataclasses import dataclass

import numpy as np
import torch

from assay.agents.base import Conversation
from assay.agents.chat import ChatAgent
from assay.agents.engines.base import Completion, SamplingParams
from assay.core.errors import ConfigError, UnknownNameError
from assay.core.seeding import derive_seed
from assay.core.task import Task, TaskSet
from assay.core.tool import Tool
from assay.core.trajectory import Sample, Trajectory, streams
from assay.envs.base import TaskEnv
from assay.rollouts.pool import AnyEnv
from assay.rollouts.request import EpisodeRequest
from assay.rollouts.runner import Runner
from assay.trainers.config import WarmstartConfig


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A token stream to imitate, and whether it ends right."""

    samples: tuple[Sample, ...]
    correct: bool | None


class _Script:
    """An engine that says the given turns, one after another."""

    weight_version = 0

    def __init__(self, turns: Iterable[Sequence[int]]) -> None:
        self._turns = deque(turns)

    async def generate(self, token_ids: Sequence[int], sampling: SamplingParams) -> Completion:
        """Say the next turn."""
        ids = tuple(self._turns.popleft())
        return Completion(ids, (0.0,) * len(ids), "stop")

    async def update_weights(self, source: Iterable[tuple[str, torch.Tensor]] | None, version: int) -> None:
        """Do nothing: there are no weights."""

    async def sleep(self) -> None:
        """Do nothing."""

    async def wake(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""


class _Demonstrator:
    """An agent that plays written turns; the seed of the conversation says which."""

    def __init__(self, agent: ChatAgent) -> None:
        self._agent = agent
        self.turns: dict[int, list[str]] = {}

    def open(self, *, tools: Sequence[Tool] = (), seed: int = 0) -> Conversation:
        """Open a conversation of the real agent over the script of this episode."""
        actor = copy(self._agent)
        actor.engine = _Script([actor.encode_turn(turn, tools) for turn in self.turns.pop(seed)])
        return actor.open(tools=tools, seed=seed)


async def demonstrate(
    make_env: Callable[[], AnyEnv],
    tasks: TaskSet,
    config: WarmstartConfig,
    agent: ChatAgent,
    *,
    seed: int,
    on_progress: Callable[[int], None] = lambda done: None,
) -> list[Demonstration]:
    """Play `config.demonstrations` of the training tasks, each in a style drawn by weight.

    Raises `ConfigError` when the environment has no demonstrations, or not in one of these styles.
    """
    demonstrator, author = _Demonstrator(agent), _author(make_env)
    styles = _styles(author, config)
    weights = np.array([config.styles.get(style, 1.0) for style in styles])

    def requests() -> Iterable[EpisodeRequest]:
        for number in range(config.demonstrations):
            rng = np.random.Generator(np.random.PCG64(derive_seed("demonstration", seed, number)))
            task = tasks[int(rng.integers(tasks.size if tasks.size is not None else 2**31))]
            style = styles[int(rng.choice(len(styles), p=weights / weights.sum()))]
            request = EpisodeRequest(f"demonstration/{number:06d}", style, task, derive_seed("play", seed, number))
            demonstrator.turns[request.sampling_seed] = _turns(author, task, style, rng)
            yield request

    played: list[Trajectory] = []
    with Runner(make_env, demonstrator, concurrency=8) as runner:
        async with aclosing(runner.run(requests())) as trajectories:
            async for trajectory in trajectories:
                played.append(trajectory)
                on_progress(len(played))
    failed = next((t for t in played if t.status == "failed"), None)
    if failed is not None:
        raise ConfigError(f"the demonstration of task {failed.task_id!r} cannot be played: {failed.error}")
    played.sort(key=lambda trajectory: trajectory.id)
    return [Demonstration(tuple(streams(trajectory)), trajectory.correct) for trajectory in played]


def _author(make_env: Callable[[], AnyEnv]) -> TaskEnv:
    env = make_env().unwrapped
    if not isinstance(env, TaskEnv):
        raise ConfigError(f"{type(env).__name__} is no TaskEnv, so it has no demonstrations; set warmstart.steps=0")
    return env


def _styles(author: TaskEnv, config: WarmstartConfig) -> list[str]:
    for style in config.styles:
        if style not in author.demonstration_styles:
            raise UnknownNameError("demonstration style", style, author.demonstration_styles)
    return list(config.styles) or [""]


def _turns(author: TaskEnv, task: Task, style: str, rng: np.random.Generator) -> list[str]:
    turns = author.demonstrate(task, style, rng) if style else author.demonstration(task)
    if turns is None:
        raise ConfigError(f"{type(author).__name__} has no demonstrations to warm-start on; set warmstart.steps=0")
    return turns
