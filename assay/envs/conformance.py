"""The promises that an environment is checked for, one function each (`check.check_environment` runs them).

A check returns a line of detail, or raises `Failed` or `Skipped` with the reason. One that cannot tell says so and is
skipped; it never passes by default.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils.env_checker import check_env, data_equivalence

from assay.core.errors import AssayError
from assay.core.message import Observation
from assay.core.registry import make
from assay.core.seeding import derive_seed
from assay.core.task import Task
from assay.core.verdict import Verdict
from assay.envs.base import TaskEnv
from assay.envs.leaks import count_leaks
from assay.verifiers.base import Evidence, Verifier

Factory = Callable[..., "gymnasium.Env[Any, Any]"]
_MAX_STEPS = 2000
_SPLIT_SECONDS = 5.0
"""Some generators take a second for a held-out task; the report says how many were compared."""


class Failed(Exception):
    """The environment breaks a promise."""


class Skipped(Exception):
    """The check cannot tell."""


@dataclass(slots=True)
class Subject:
    """The environment under test: makes instances, and closes them all in the end."""

    source: str | Factory
    options: dict[str, Any]
    episodes: int
    made: list[gymnasium.Env[Any, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return the id, or the name of the factory."""
        return self.source if isinstance(self.source, str) else getattr(self.source, "__name__", repr(self.source))

    def new(self, **changes: Any) -> gymnasium.Env[Any, Any]:
        """Return a new environment, some options changed."""
        options = {**self.options, **changes}
        env = make(self.source, **options) if isinstance(self.source, str) else self.source(**options)
        self.made.append(env)
        return env

    def new_over_tasks(self, **changes: Any) -> tuple[gymnasium.Env[Any, Any], TaskEnv]:
        """Return a new environment, and the TaskEnv inside its wrappers."""
        env = self.new(**changes)
        if not isinstance(env.unwrapped, TaskEnv):
            raise Skipped("not an assay TaskEnv: tasks and verdicts are out of reach")
        return env, env.unwrapped

    def tasks(self, env: TaskEnv, n: int | None = None, seconds: float = math.inf) -> list[Task]:
        """Return the first tasks of an infinite set, or tasks spread over a sized one; fewer when time is up."""
        n = n or self.episodes
        indices: Iterable[int] = range(n)
        if env.tasks.size is not None:
            indices = np.unique(np.linspace(0, env.tasks.size - 1, n).astype(int)).tolist()
        deadline = time.monotonic() + seconds
        return [env.tasks[i] for i in itertools.takewhile(lambda i: i == 0 or time.monotonic() < deadline, indices)]

    def close(self) -> None:
        """Close everything that was made."""
        for env in self.made:
            # The check "close" has reported what is wrong with closing; the rest of the instances must go all the same.
            with contextlib.suppress(Exception):
                env.close()


# -- playing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Step:
    observation: Any
    reward: float
    terminated: bool
    truncated: bool
    verdict: Verdict | None
    shaping: float = 0.0
    """Of the reward, what wrappers declare as shaping."""


def _play(
    env: gymnasium.Env[Any, Any], actions: Iterable[Any], *, seed: int | None = None, task: Task | None = None
) -> list[_Step]:
    """Play one episode. The first entry is the reset. Stops early when the actions run out."""
    observation, _ = env.reset(seed=seed, options=None if task is None else {"task": task})
    steps = [_Step(observation, 0.0, False, False, None)]
    for action in itertools.islice(actions, _MAX_STEPS):
        observation, reward, terminated, truncated, info = env.step(action)
        parts = info.get("reward_parts") or {}
        shaping = sum(value or 0.0 for name, value in parts.items() if str(name).startswith("shaping/"))
        steps.append(_Step(observation, float(reward), terminated, truncated, info.get("verdict"), shaping))
        if terminated or truncated:
            break
    return steps


def _actions(env: gymnasium.Env[Any, Any], seed: int) -> Iterator[Any]:
    """Return an endless stream of random actions that depends on the seed alone."""
    env.action_space.seed(seed)
    drawn = [env.action_space.sample() for _ in range(20)]
    return itertools.cycle(drawn)


def _oracle(env: TaskEnv, task: Task) -> list[str]:
    turns = env.demonstration(task)
    if turns is None:
        raise Skipped("the environment has no demonstrations")
    return turns


def _same(a: list[_Step], b: list[_Step], *, verdicts: bool) -> bool:
    """Whether two episodes show the same; rewards and verdicts are compared only where they are deterministic."""
    if not data_equivalence([step.observation for step in a], [step.observation for step in b]):
        return False
    outcomes = [[(s.reward, s.terminated, s.truncated, s.verdict) for s in steps] for steps in (a, b)]
    return not verdicts or outcomes[0] == outcomes[1]


# -- the checks --------------------------------------------------------------------------------------------------


def _gymnasium(subject: Subject) -> str:
    env = subject.new().unwrapped
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            check_env(env, skip_render_check=env.spec is None and env.render_mode is None)
        except Exception as error:  # noqa: BLE001 - the checker reports by raising anything, assertions included
            raise Failed(f"check_env: {type(error).__name__}: {(str(error).splitlines() or [''])[0]}") from None
    complaints = [str(w.message).splitlines()[0] for w in caught if "gymnasium" in (w.filename or "")]
    if complaints:
        raise Failed(f"check_env warns: {complaints[0]}")
    return "check_env passes without warnings"


def _seed_determinism(subject: Subject) -> str:
    first, second = subject.new(), subject.new()
    for i in range(subject.episodes):
        seed = derive_seed("check", "seed", i) % 2**31
        if not _same(
            _play(first, _actions(first, i), seed=seed),
            _play(second, _actions(second, i), seed=seed),
            verdicts=_deterministic(first),
        ):
            raise Failed(f"reset(seed={seed}) and the same actions gave two different episodes")
    return f"{subject.episodes} seeds, two instances each: the same episodes"


def _group_identity(subject: Subject) -> str:
    env, base = subject.new_over_tasks()
    other, _ = subject.new_over_tasks()
    tasks = subject.tasks(base)
    for i, task in enumerate(tasks):
        seed = derive_seed("check", "group", i) % 2**31
        actions = base.demonstration(task) or list(itertools.islice(_actions(env, i), 5))
        first = _play(env, actions, seed=seed, task=task)
        _play(env, _actions(env, i), seed=seed + 1, task=tasks[i - 1])  # what came before must not matter
        for again in (env, other):
            if not _same(first, _play(again, actions, seed=seed, task=task), verdicts=_deterministic(env)):
                raise Failed(f"task {task.id!r} with seed {seed} gave two different episodes for the same actions")
    return f"{len(tasks)} tasks: the same task and seed give the same episode, whatever came before"


def _deterministic(env: gymnasium.Env[Any, Any]) -> bool:
    return not isinstance(env.unwrapped, TaskEnv) or env.unwrapped.verifier.deterministic


def _rewards(subject: Subject) -> str:
    env = subject.new()
    base = env.unwrapped
    tasks: list[Task | None] = [None] * subject.episodes
    step_range, score_range = (-math.inf, math.inf), (0.0, 0.0)
    if isinstance(base, TaskEnv):
        tasks = [*subject.tasks(base)]
        step_range, score_range = env.get_wrapper_attr("step_reward_range"), base.verifier.score_range
    seen: list[float] = []
    for i, task in enumerate(tasks):
        oracle = base.demonstration(task) if isinstance(base, TaskEnv) and task else None
        for actions in (_actions(env, i), oracle or ()):
            for step in _play(env, actions, seed=i, task=task)[1:]:
                if not math.isfinite(step.reward):
                    raise Failed(f"a reward of {step.reward}")
                scored = step.verdict is not None and step.verdict.scored
                low, high = step_range[0] + scored * score_range[0], step_range[1] + scored * score_range[1]
                if not low - 1e-9 <= step.reward <= high + 1e-9:
                    raise Failed(f"a reward of {step.reward:g} outside the declared [{low:g}, {high:g}]")
                seen.append(step.reward)
    return f"{len(seen)} rewards, all finite, from {min(seen):g} to {max(seen):g}"


def _hidden_target(subject: Subject) -> str:
    env, base = subject.new_over_tasks()
    tasks = subject.tasks(base)
    if all(task.target is None for task in tasks):
        return "no task has a target: nothing to hide"
    secrets = [base.secret(task) for task in tasks]
    given = sum(secret == [] != task.target for secret, task in zip(secrets, tasks, strict=True))
    if 2 * given > len(tasks):
        raise Failed(f"the questions of {given} of {len(tasks)} tasks give everything away: nothing of it is secret")
    shown: list[tuple[Observation, ...]] = []
    for i, task in enumerate(tasks):
        blank = _play(env, itertools.repeat(""), seed=i, task=task)
        noisy = _play(env, _actions(env, i), seed=i, task=task)
        # What comes with the end of the episode no action can use.
        shown.append(tuple(step.observation for step in blank + noisy if not (step.terminated or step.truncated)))
    leaks = count_leaks(secrets, shown)
    if leaks.leaked:
        raise Failed(leaks.describe())
    if leaks.undecidable:
        raise Skipped(leaks.describe())
    return leaks.describe()


class _Crashing(Verifier):
    """Stands in for a verifier that breaks."""

    name = "crashing"

    def __init__(self) -> None:
        self.calls = 0

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        self.calls += 1
        raise RuntimeError("the verifier broke")


def _no_verdict(subject: Subject) -> str:
    env, base = subject.new_over_tasks()
    task = subject.tasks(base, 1)[0]
    actions = base.demonstration(task) or _actions(env, 0)
    working, crashing = base.verifier, _Crashing()
    base.verifier = crashing
    try:
        last = _play(env, actions, seed=0, task=task)[-1]
    finally:
        base.verifier = working
    if not crashing.calls:
        raise Skipped("the verifier was never asked in this episode")
    if last.verdict is None or last.verdict.score is not None:
        raise Failed(f"a verifier that raises gave {last.verdict!r}, not a verdict without a score")
    if last.reward != 0.0 or last.terminated or not last.truncated:
        raise Failed(
            "a verifier that raises must end the episode with reward 0.0 and truncated, not "
            f"reward {last.reward:g}, terminated={last.terminated}, truncated={last.truncated}"
        )
    return "a verifier that raises gives no score, reward 0.0, truncated"


def _oracle_scores(subject: Subject) -> str:
    env, base = subject.new_over_tasks()
    tasks = subject.tasks(base)
    for i, task in enumerate(tasks):
        last = _play(env, _oracle(base, task), seed=i, task=task)[-1]
        if last.verdict is None:
            raise Failed(f"task {task.id!r}: the demonstration does not end the episode")
        if last.verdict.score is None or last.verdict.score < base.verifier.score_range[1] or not last.verdict.correct:
            raise Failed(f"task {task.id!r}: the demonstration scores {last.verdict.score} ({last.verdict.reason})")
    return f"{len(tasks)} demonstrations, all with the full score"


def _empty_scores(subject: Subject) -> str:
    env, base = subject.new_over_tasks()
    tasks = subject.tasks(base)
    for i, task in enumerate(tasks):
        steps = _play(env, itertools.repeat(""), seed=i, task=task)
        verdict, paid = steps[-1].verdict, sum(step.reward - step.shaping for step in steps)
        if verdict is None:
            raise Failed(f"task {task.id!r}: {_MAX_STEPS} empty turns do not end the episode")
        if (
            verdict.score is None
            or verdict.correct is not False
            or verdict.score > max(0.0, base.verifier.score_range[0])
        ):
            raise Failed(f"task {task.id!r}: an empty answer scores {verdict.score}, correct={verdict.correct}")
        # What a trainer sees is the reward, and steps pay beside the verdict. Declared shaping may pay for anything.
        if paid > max(0.0, base.verifier.score_range[0]) + 1e-9:
            raise Failed(f"task {task.id!r}: empty answers are paid {paid:g}, though the verdict is {verdict.score:g}")
    return f"{len(tasks)} empty answers, none paid"


def _readable_gold(subject: Subject) -> str:
    _, base = subject.new_over_tasks()
    tasks = subject.tasks(base)
    for task in tasks:
        if (reason := base.verifier.check_target(task)) is not None:
            raise Failed(f"task {task.id!r}: {reason}")
    return f"{len(tasks)} gold answers, all readable"


def _disjoint_splits(subject: Subject) -> str:
    contents: dict[str, set[str]] = {}
    ids: dict[str, set[str]] = {}
    for split in ("train", "eval"):
        try:
            _, base = subject.new_over_tasks(split=split)
        except (AssayError, TypeError) as error:
            raise Skipped(f"no split {split!r}: {(str(error).splitlines() or [''])[0]}") from None
        tasks = subject.tasks(base, 10 * subject.episodes, _SPLIT_SECONDS)
        # Some prompts say nothing about the task (a game's rules); the target tells such tasks apart.
        contents[split] = {repr((task.messages(), task.target, task.images)) for task in tasks}
        ids[split] = {task.id for task in tasks}
    both = contents["train"] & contents["eval"] or ids["train"] & ids["eval"]
    if both:
        raise Failed(f"{len(both)} tasks are in both splits, such as {min(both)[:200]}")
    return f"{len(contents['train'])} train and {len(contents['eval'])} eval contents, none in both"


def _close(subject: Subject) -> str:
    for episode in (False, True):
        env = subject.new()
        if episode:
            env.reset(seed=0)
        env.close()
        env.close()
    return "close() twice, before and in an episode"


CHECKS: dict[str, Callable[[Subject], str]] = {
    "gymnasium": _gymnasium,
    "seed determinism": _seed_determinism,
    "group identity": _group_identity,
    "rewards": _rewards,
    "hidden target": _hidden_target,
    "no verdict": _no_verdict,
    "readable gold": _readable_gold,
    "oracle scores 1": _oracle_scores,
    "empty scores 0": _empty_scores,
    "disjoint splits": _disjoint_splits,
    "close": _close,
}
"""All checks by name, in the order of the report."""
