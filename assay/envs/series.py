"""assay/Series-v0: several tasks of another environment, one after another in one conversation.

A paper with six questions, a match of several games: long episodes whose turns earn on their own. With the episode's
total as the only signal, each turn is credited with the luck of all others; `reward` says what is paid and when, so
that ways of giving credit can be compared on one and the same episodes.

Invariants:

* Tasks belong to the split of the environment that they are from, and each belongs to one series.
* An episode's rewards of `turns` and of `share` have the same sum: the score of its verdict.
* The environment inside judges each of its tasks. Where one has no verdict, the series has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from assay.core.errors import ConfigError, Fault
from assay.core.message import Observation
from assay.core.registry import make
from assay.core.seeding import short_hash
from assay.core.task import Task, TaskSet
from assay.core.verdict import Verdict, right, wrong
from assay.envs.base import Progress, TaskEnv
from assay.verifiers.base import Evidence, Verifier

ENV_ID = "assay/Series-v0"
Reward = Literal["turns", "share", "all"]
_DEFAULT: tuple[str, dict[str, Any], int] = ("assay/Arithmetic-v0", {}, 6)


class SeriesTasks(TaskSet):
    """Series number n holds the tasks n * length up to (n + 1) * length of another set."""

    def __init__(self, name: str, single: TaskSet, length: int) -> None:
        self.name, self.single, self.length = name, single, length
        self.size = None if single.size is None else single.size // length
        if self.size == 0:
            raise ConfigError(f"{name}: a series of {length} needs as many tasks, and there are {single.size}")

    def __getitem__(self, index: int) -> Task:
        tasks = [self.single[index * self.length + place] for place in range(self.length)]
        levels = [task.difficulty for task in tasks if task.difficulty is not None]
        return Task(
            id=f"{self.name}/{tasks[0].split}/{index}",
            prompt=tasks[0].prompt,
            target=[task.target for task in tasks],
            split=tasks[0].split,
            seed=tasks[0].seed,
            difficulty=float(np.mean(levels)) if levels else None,
            metadata={"tasks": [task.id for task in tasks]},
        )

    def get(self, task_id: str) -> Task:
        """Make the series with this id again."""
        index = task_id.rpartition("/")[2]
        if index.isdigit() and (self.size is None or int(index) < self.size):
            found = self[int(index)]
            if found.id == task_id:
                return found
        raise ConfigError(f"no task {task_id!r}; ids look like {self[0].id}")

    def members(self, task: Task) -> list[Task]:
        """Return the tasks of a series."""
        return [self.single.get(name) for name in task.metadata["tasks"]]


class SeriesVerifier(Verifier):
    """Correct when every task is. The score is their mean, 0 for one that was not reached, or it is all or nothing."""

    name = "series"

    def __init__(self, tasks: SeriesTasks, single: Verifier, *, whole: bool) -> None:
        self._tasks, self._single, self._whole = tasks, single, whole
        self.deterministic, self.isolation = single.deterministic, single.isolation
        low, high = (0.0, 1.0) if whole else single.score_range
        self.score_range = (min(low, 0.0), high)

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Read `state["verdicts"]`, those of the tasks that were finished."""
        verdicts, length = evidence.state["verdicts"], len(task.metadata["tasks"])
        solved = sum(verdict.correct is True for verdict in verdicts)
        share = sum(verdict.score for verdict in verdicts) / length
        reason = f"{solved} of {length} right"
        if solved == length:
            return right(1.0 if self._whole else share, reason=reason)
        return wrong(reason, score=0.0 if self._whole else share)

    def check_target(self, task: Task) -> str | None:
        """Return why the first gold that cannot be read cannot be."""
        return next(filter(None, map(self._single.check_target, self._tasks.members(task))), None)


class SeriesEnv(TaskEnv):
    """Play several episodes of an environment, each with its own task, as one. What was said before stays in view.

    Options: `env`, the id of the environment, and its `options`; `length`, how many tasks make a series; `reward`:
    `turns` pays each task's share when it is finished, `share` pays the same in one sum at the end, `all` pays 1 at the
    end when everything is right; `instructions` and `split` go to the environment.

    Demonstrations: `solve` plays its oracle, `mixed` each task in one of the environment's styles, drawn evenly.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("solve", "mixed")

    def __init__(
        self,
        *,
        env: str = "assay/Arithmetic-v0",
        options: Mapping[str, Any] | None = None,
        length: int = 6,
        reward: Reward = "turns",
        instructions: bool = False,
        split: str = "train",
        render_mode: str | None = None,
    ) -> None:
        if length < 1:
            raise ConfigError(f"length must be at least 1, not {length}")
        if reward not in get_args(Reward):
            raise ConfigError(f"reward must be one of {', '.join(get_args(Reward))}, not {reward!r}")
        told = {"instructions": True} if instructions else {}
        single = make(env, **{"split": split, **told, **(options or {})}).unwrapped
        if not isinstance(single, TaskEnv):
            raise ConfigError(f"a series needs an environment with tasks and verdicts, and {env!r} has none")
        self.single, self.pays_turns = single, reward == "turns"
        content = (env, dict(options or {}), length)
        name = ENV_ID if content == _DEFAULT else f"{ENV_ID}@{short_hash(repr(content), 6)}"
        self.series = SeriesTasks(name, single.tasks, length)
        self.blocking = single.blocking
        super().__init__(
            self.series,
            SeriesVerifier(self.series, single.verifier, whole=reward == "all"),
            max_turns=length * single.max_turns,
            tools=single.tools,
            render_mode=render_mode,
        )
        if self.pays_turns:  # the last one is paid its share less the verdict's score, which comes on top
            low, high = single.verifier.score_range
            self.step_reward_range = (min(low, -high), max(high / length, -low))

    def begin(self, task: Task) -> Observation:
        """Open with the first task."""
        self._left = self.series.members(task)
        self._verdicts: list[Verdict] = []
        self._paid = 0.0
        return self._next()

    def _next(self) -> Observation:
        opening, _ = self.single.reset(seed=int(self.np_random.integers(2**31)), options={"task": self._left.pop(0)})
        return opening

    def advance(self, action: str) -> Progress:
        """Pass the turn on; where it finishes a task, the next one follows."""
        messages, _, terminated, truncated, info = self.single.step(action)
        if not (terminated or truncated):
            return Progress(messages)
        verdict: Verdict = info["verdict"]
        if verdict.score is None:
            raise Fault(f"task {info['task_id']!r} has no verdict: {verdict.reason}")
        self._verdicts.append(verdict)
        reward = verdict.score / self.series.length if self.pays_turns else 0.0
        self._paid += reward
        done = not self._left
        if not done:  # rules that the first task has stated are not stated again
            messages = (*messages, *(message for message in self._next() if message["role"] != "system"))
        return Progress(messages, done=done, reward=reward, parts={"task": verdict.score})

    def _end(
        self, messages: Observation, reward: float, parts: dict[str, float | None], verdict: Verdict, *, limit: bool
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        return super()._end(messages, reward - self._paid, parts, verdict, limit=limit)

    def evidence(self) -> Evidence:
        """Return the transcript and the verdicts on the tasks that were finished."""
        seen = super().evidence()
        return Evidence(seen.text, seen.messages, state={"verdicts": tuple(self._verdicts)})

    def out_of_turns(self) -> Verdict:
        """Judge what was finished."""
        return self.judge()

    def demonstration(self, task: Task) -> list[str] | None:
        """Return the oracle's turns for all tasks, None where it has none for one of them."""
        parts = [self.single.demonstration(member) for member in self.series.members(task)]
        return None if None in parts else [turn for part in parts for turn in part or ()]

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Play all tasks, one after another."""
        styles = self.single.demonstration_styles
        if style not in self.demonstration_styles or not styles:
            return super().demonstrate(task, style, rng)
        turns: list[str] = []
        for member in self.series.members(task):
            chosen = styles[int(rng.integers(len(styles)))] if style == "mixed" else styles[0]
            turns += self.single.demonstrate(member, chosen, rng)
        return turns

    def close(self) -> None:
        """Close the environment inside, and its verifier with it."""
        self.single.close()
        super().close()
