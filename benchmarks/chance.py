"""What the oracle and the blind styles of each environment solve.

    python benchmarks/chance.py [--tasks 200] [assay/Maze-v0 ...]

Plays every demonstration style of every environment with generated tasks (or of those named) and prints the share
that is solved and the mean score. The first style is the oracle; the others are what a task pays without thinking. So
do two agents that know nothing of the environment: `silent` says nothing in every turn, `echo` repeats the task.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterable

import gymnasium
import numpy as np

import assay
from assay.core.errors import ConfigError
from assay.core.message import text_of
from assay.core.seeding import derive_seed
from assay.core.task import Task
from assay.core.verdict import Verdict
from assay.envs.base import TaskEnv


def turns_of(env: TaskEnv, task: Task, agent: str) -> Iterable[str]:
    if agent == "silent":
        return itertools.repeat("")
    if agent == "echo":
        return itertools.repeat(text_of(task.messages()[-1]))
    return env.demonstrate(task, agent, np.random.default_rng(derive_seed("chance", agent, task.id)))


def judged(env: TaskEnv, task: Task, turns: Iterable[str]) -> Verdict:
    env.reset(options={"task": task})
    for turn in turns:
        *_, info = env.step(turn)
        if "verdict" in info:
            verdict: Verdict = info["verdict"]
            return verdict
    return env.out_of_turns()


def measure(env_id: str, tasks: int) -> None:
    try:
        env = assay.make(env_id).unwrapped
    except ConfigError as reason:
        print(f"{env_id:28} left out: {reason}")
        return
    assert isinstance(env, TaskEnv)
    if env.tasks.size is None:
        for style in (*env.demonstration_styles, "silent", "echo"):
            verdicts = []
            for task in env.tasks.head(tasks):
                try:
                    turns = turns_of(env, task, style)
                except ConfigError:  # MiniWoB++ has pages that nobody has demonstrated
                    continue
                verdicts.append(judged(env, task, turns))
            solved = np.mean([bool(verdict.correct) for verdict in verdicts])
            score = np.mean([verdict.score or 0.0 for verdict in verdicts])
            print(f"{env_id:28} {style:10} solved {solved:.3f}  score {score:.3f}", flush=True)
    env.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("environments", nargs="*")
    options = parser.parse_args()
    for env_id in options.environments or sorted(name for name in gymnasium.registry if name.startswith("assay/")):
        measure(env_id, options.tasks)


if __name__ == "__main__":
    main()
