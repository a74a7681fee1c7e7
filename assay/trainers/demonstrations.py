"""Demonstrations as token streams: an environment's own examples, played by the agent that will be trained.

Invariant: the turns pass through the agent's own conversation (chat template, tool format, observation tokens), with an
engine that says what it is told. So the model sees in the warm start exactly the tokens that it will see afterwards.
Nothing is filtered: what a style gets wrong stays in, as in a base model's data.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A token stream to imitate, and whether it ends right."""

    samples: tuple[Sample, ...]
    correct: bool | None


class _Script:
    """An engine that says the given turns, one after another."""

    weight_version = 0
    max_context = sys.maxsize

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


class Demonstrations:
    """Numbered demonstrations of the training tasks; number n is the same whenever it is asked for.

    Task and style are drawn anew for each number, the style by the weights of `WarmstartConfig.styles`.
    """

    def __init__(
        self,
        make_env: Callable[[], AnyEnv],
        tasks: TaskSet,
        styles: Mapping[str, float],
        agent: ChatAgent,
        *,
        seed: int,
    ) -> None:
        """Raises `ConfigError` when the environment has no demonstrations, or not in one of these styles."""
        self._author, self._tasks, self._seed = _author(make_env), tasks, seed
        for style in styles:
            if style not in self._author.demonstration_styles:
                raise UnknownNameError("demonstration style", style, self._author.demonstration_styles)
        self._styles = list(styles) or [""]
        self._edges = np.cumsum(list(styles.values()) or [1.0])
        self._demonstrator = _Demonstrator(agent)
        self._runner = Runner(make_env, self._demonstrator, concurrency=8)

    async def play(self, numbers: Iterable[int]) -> list[Demonstration]:
        """Play the demonstrations of these numbers, in their order."""
        wanted = list(numbers)
        played: dict[str, Trajectory] = {}
        async with aclosing(self._runner.run(map(self._request, wanted))) as trajectories:
            async for trajectory in trajectories:
                if trajectory.status == "failed":
                    raise ConfigError(
                        f"the demonstration of task {trajectory.task_id!r} cannot be played: {trajectory.error}"
                    )
                played[trajectory.id] = trajectory
        in_order = (played[_name(number)] for number in wanted)
        return [Demonstration(tuple(streams(trajectory)), trajectory.correct) for trajectory in in_order]

    def close(self) -> None:
        """Close the environments. Idempotent."""
        self._runner.close()
        self._author.close()

    def _request(self, number: int) -> EpisodeRequest:
        rng = np.random.Generator(np.random.PCG64(derive_seed("demonstration", self._seed, number)))
        task = self._tasks[int(rng.integers(self._tasks.size if self._tasks.size is not None else 2**31))]
        style = self._styles[int(np.searchsorted(self._edges, rng.random() * self._edges[-1], side="right"))]
        request = EpisodeRequest(_name(number), style, task, derive_seed("play", self._seed, number))
        self._demonstrator.turns[request.sampling_seed] = self._turns(task, style, rng)
        return request

    def _turns(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        turns = self._author.demonstrate(task, style, rng) if style else self._author.demonstration(task)
        if turns is None:
            raise ConfigError(f"{type(self._author).__name__} has no demonstrations; set warmstart.steps=0")
        if isinstance(turns, str) or not all(isinstance(turn, str) for turn in turns):
            raise ConfigError(
                f"{type(self._author).__name__}.demonstrate() must return a list of texts, not {turns!r:.80}"
            )
        return turns


def _name(number: int) -> str:
    return f"demonstration/{number:08d}"


def _author(make_env: Callable[[], AnyEnv]) -> TaskEnv:
    env = make_env().unwrapped
    if not isinstance(env, TaskEnv):
        raise ConfigError(f"{type(env).__name__} is no TaskEnv, so it has no demonstrations; set warmstart.steps=0")
    return env
