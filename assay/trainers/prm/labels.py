"""Step labels without annotators: the chance to finish right from here, by rolling out from the end of each step.

The Monte-Carlo estimation of Math-Shepherd (arXiv 2312.08935): from each prefix of a solution N continuations are
sampled; the *soft* label is the share of right ones, the *hard* label says whether there was one.

Invariants: a prefix is the tokens that were sampled, never encoded again; continuations are judged by the environment
as any answer is; one without a verdict counts neither way, and a solution with a step for which no continuation has a
verdict is left out.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from copy import copy
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from assay.agents.base import Conversation
from assay.agents.chat import ChatAgent
from assay.agents.engines.base import Completion, Engine, SamplingParams
from assay.core.errors import ConfigError, DataError
from assay.core.message import text_of
from assay.core.seeding import derive_seed
from assay.core.task import Task
from assay.core.tool import Tool
from assay.core.trajectory import Trajectory
from assay.rollouts.pool import AnyEnv
from assay.rollouts.request import EpisodeRequest
from assay.rollouts.runner import Runner
from assay.verifiers.process.steps import Splitter, check_splitter, split_steps


@dataclass(frozen=True, slots=True)
class LabelledSolution:
    """A solution, cut into steps, with what is known of each."""

    task_id: str
    problem: str
    steps: tuple[str, ...]
    values: tuple[float, ...]
    """For each step the share of continuations that ended right; the last one is the outcome."""
    correct: bool

    def labels(self, target: Literal["soft", "hard"]) -> list[float]:
        """Return the targets in [0, 1] to train on."""
        return [value if target == "soft" else float(value > 0) for value in self.values]


class StepLabeller:
    """Labels the solutions of a single-turn environment with an agent's own continuations."""

    def __init__(
        self,
        make_env: Callable[[], AnyEnv],
        agent: ChatAgent,
        *,
        splitter: Splitter | str = "paragraph",
        rollouts: int = 8,
        max_steps: int = 128,
        concurrency: int = 512,
        seed: int = 0,
    ) -> None:
        """Compose.

        Args:
            make_env: returns a new environment, whose verifier judges.
            agent: continues; its sampling parameters bound a solution from its very beginning.
            splitter: where steps end (see `verifiers.process.steps`).
            rollouts: continuations for each step.
            max_steps: the rest of a longer solution joins its last step.
            concurrency: continuations in flight.
            seed: of all sampling.
        """
        if rollouts < 1:
            raise ConfigError(f"rollouts must be at least 1, not {rollouts}")
        self._agent, self._splitter, self._rollouts, self._max_steps = (
            agent,
            check_splitter(splitter),
            rollouts,
            max_steps,
        )
        self._seed = seed
        self._continuing = _Continuing(agent)
        self._runner = Runner(make_env, self._continuing, concurrency=concurrency)

    async def label(self, solutions: Iterable[tuple[Task, Trajectory]]) -> list[LabelledSolution]:
        """Return the labelled solutions in their order; those with an outcome or a step that nobody judged are missing.

        Raises `ConfigError` for episodes of more than one turn: a prefix of theirs is a state of an environment.
        """
        pending = [self._cut(task, trajectory) for task, trajectory in solutions if trajectory.correct is not None]
        judged: defaultdict[str, list[bool]] = defaultdict(list)
        requests = (request for solution in pending for request in self._requests(solution))
        async with aclosing(self._runner.run(requests)) as continuations:
            async for continuation in continuations:
                if continuation.correct is not None:
                    judged[continuation.group_id].append(continuation.correct)
        return [labelled for solution in pending if (labelled := solution.labelled(judged)) is not None]

    def close(self) -> None:
        """Close the environments. Idempotent."""
        self._runner.close()

    def _cut(self, task: Task, trajectory: Trajectory) -> _Solution:
        if len(trajectory.steps) != 1 or not trajectory.steps[0].turn.output_ids:
            raise ConfigError(
                f"episode {trajectory.id!r} is not one turn of an agent with tokens: it cannot be continued"
            )
        turn = trajectory.steps[0].turn
        steps = split_steps(turn.text, self._splitter, max_steps=self._max_steps)
        ends = token_ends(self._agent.tokenizer, turn.output_ids, [step.end for step in steps])
        problem = "\n".join(text_of(message) for message in task.messages() if message["role"] == "user")
        prefixes = [turn.output_ids[:end] for end in ends[:-1]]
        return _Solution(task, trajectory, problem, tuple(step.text for step in steps), prefixes)

    def _requests(self, solution: _Solution) -> Iterator[EpisodeRequest]:
        for number, prefix in enumerate(solution.prefixes):
            for rollout in range(self._rollouts):
                name = f"{solution.trajectory.id}/{number}/{rollout}"
                seed = derive_seed("continue", self._seed, name)
                request = EpisodeRequest(name, solution.group(number), solution.task, seed)
                self._continuing.prefixes[request.sampling_seed] = prefix
                yield request


@dataclass(frozen=True, slots=True)
class _Solution:
    task: Task
    trajectory: Trajectory
    problem: str
    steps: tuple[str, ...]
    prefixes: Sequence[tuple[int, ...]]
    """Tokens up to the end of each step but the last."""

    def group(self, number: int) -> str:
        return f"{self.trajectory.id}/{number}"

    def labelled(self, judged: Mapping[str, Sequence[bool]]) -> LabelledSolution | None:
        votes = [judged.get(self.group(number), ()) for number in range(len(self.prefixes))]
        if not self.steps or not all(votes):
            return None
        correct = bool(self.trajectory.correct)
        values = (*(sum(vote) / len(vote) for vote in votes), float(correct))
        return LabelledSolution(self.task.id, self.problem, self.steps, values, correct)


class _Continuing:
    """An agent that begins with given tokens and goes on by itself; the seed of the conversation says which."""

    def __init__(self, agent: ChatAgent) -> None:
        self._agent = agent
        self.prefixes: dict[int, tuple[int, ...]] = {}

    def open(self, *, tools: Sequence[Tool] = (), seed: int = 0) -> Conversation:
        """Open a conversation of the real agent over an engine that puts the prefix first."""
        actor = copy(self._agent)
        actor.engine = _Prefixed(self._agent.engine, self.prefixes.pop(seed))
        return actor.open(tools=tools, seed=seed)


class _Prefixed:
    """An engine whose every completion begins with the same tokens."""

    weight_version = 0

    def __init__(self, engine: Engine, prefix: tuple[int, ...]) -> None:
        self._engine, self._prefix, self.max_context = engine, prefix, engine.max_context

    async def generate(self, token_ids: Sequence[int], sampling: SamplingParams) -> Completion:
        """Continue after the prefix."""
        room = max(sampling.max_tokens - len(self._prefix), 1)
        rest = await self._engine.generate([*token_ids, *self._prefix], replace(sampling, max_tokens=room))
        ids, logprobs = self._prefix + rest.token_ids, (0.0,) * len(self._prefix) + rest.logprobs
        return Completion(ids, logprobs, rest.finish_reason, rest.weight_version)

    async def update_weights(self, source: Iterable[tuple[str, torch.Tensor]] | None, version: int) -> None:
        """Do nothing: the engine is another's."""

    async def sleep(self) -> None:
        """Do nothing."""

    async def wake(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""


def token_ends(tokenizer: Any, token_ids: Sequence[int], ends: Sequence[int]) -> list[int]:
    """Return for each end, counted in characters of the text, how many tokens reach it.

    A token across an end belongs to the step that it begins in.
    """

    def reach(count: int) -> int:
        text = tokenizer.decode(token_ids[:count], skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return len(text)

    counts = range(len(token_ids) + 1)
    return [min(bisect_left(counts, end, key=reach), len(token_ids)) for end in ends]


def write_solutions(path: str | Path, solutions: Iterable[LabelledSolution]) -> None:
    """Write one JSON object a line, with the fields of `LabelledSolution`."""
    with open(path, "w", encoding="utf-8") as file:
        for solution in solutions:
            file.write(json.dumps(asdict(solution), ensure_ascii=False) + "\n")


def read_solutions(path: str | Path) -> list[LabelledSolution]:
    """Read what `write_solutions` wrote, or labels from elsewhere. `DataError` names the line that cannot be used."""
    solutions = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
                steps, values = tuple(map(str, row["steps"])), tuple(map(float, row["values"]))
                solution = LabelledSolution(
                    str(row["task_id"]), str(row["problem"]), steps, values, bool(row["correct"])
                )
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"not a labelled solution: {error}", path=str(path), line=number) from None
            if not steps or len(steps) != len(values) or not all(0 <= value <= 1 for value in values):
                raise DataError("each step needs a value in [0, 1]", path=str(path), line=number)
            solutions.append(solution)
    return solutions
