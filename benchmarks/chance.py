"""What the oracle and the blind styles of each environment solve.

    python benchmarks/chance.py [--tasks 200] [--options '{"level": 2}'] [assay/Maze-v0 ...]

Plays every demonstration style of every environment with generated tasks (or of those named) and prints the share
that is solved and the mean score. The first style is the oracle; the others are what a task pays without thinking. So
do two agents that know nothing of the environment: `silent` says nothing in every turn, `echo` repeats the task; and
where one is known that pays more than chance, a `HABITS` of acting alike in every task, which a policy may fall into.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gymnasium
import numpy as np

import assay
from assay.core.errors import ConfigError
from assay.core.message import text_of
from assay.core.seeding import derive_seed
from assay.core.task import Task
from assay.core.tool import ToolCall, parse_tool_calls
from assay.core.verdict import Verdict
from assay.envs.base import TaskEnv

Habit = Callable[[Any, Task], Iterable[str]]
"""Turns in an environment, which has taken each of them before the next is asked for."""


def in_turn(*moves: str) -> Habit:
    return lambda env, task: (f"#{move}" for move in itertools.cycle(moves))


def far_off(env: Any, task: Task) -> Iterable[str]:
    """Uncover the cell with the fewest uncovered neighbours."""
    game = env.game
    while True:
        covered = sorted(game.cells - game.shown)
        row, column = min(covered, key=lambda cell: len(game.around(cell) & game.shown))
        yield f"#{row + 1} {column + 1}"


def bold(env: Any, task: Task) -> Iterable[str]:
    """Bet always, and fold to every bet."""
    while True:
        yield f"#{next(move for move in ('bet', 'fold') if move in env.game.moves())}"


def names(env: Any, task: Task) -> Iterable[str]:
    return (f"#{thing}" for thing in env.game.table)


def formula(env: Any, task: Task) -> Iterable[str]:
    a, b, c, d = task.metadata["numbers"]
    return [f"#{b}-{a}+{c}+{d}"]


def first_found(env: Any, task: Task) -> Iterable[str]:
    """Search for the question, and answer the first thing that the best passage names."""
    yield ToolCall("search", {"query": text_of(task.messages()[-1])}).render()
    passage = text_of(env.transcript[-1]).partition("\n")[0]
    yield f"<answer>{passage.split('. ')[1].split()[-1]}</answer>"


def every_element(env: Any, task: Task) -> Iterable[str]:
    """Click whatever has a number, in turn."""
    return (ToolCall("click", {"element": number}).render() for number in range(1, env.max_turns + 1))


def not_yours(env: Any, task: Task) -> Iterable[str]:
    """Refuse whatever is asked for as somebody else's."""
    plan = task.metadata["plan"]
    refusals = [call for calls in plan["refusals"] for call in calls]
    reasons = [call for call in refusals if parse_tool_calls(call)[0].arguments["reason"] == "not_yours"]
    return [*filter(None, [plan["greeting"]]), *plan["lookup"], *reasons, "Done."]


HABITS: Mapping[str, tuple[str, Habit]] = {
    "assay/CarDealer-v0": ("patient", lambda env, task: ["#9999999", "#9999999", "#accept"]),
    "assay/FrozenLake-v0": ("down right", in_turn("down", "down", "right", "right")),
    "assay/GUIGround-v0": ("menu", lambda env, task: ["(69, 21)"]),
    "assay/GuessMyCity-v0": ("names", names),
    "assay/KnightsKnaves-v0": ("KNK", lambda env, task: ["#KNK"]),
    "assay/KuhnPoker-v0": ("bold", bold),
    "assay/Minesweeper-v0": ("far off", far_off),
    "assay/MiniWoB-v0": ("clicks", every_element),
    "assay/SearchQA-v0": ("first", first_found),
    "assay/ServiceDesk-v0": ("not yours", not_yours),
    "assay/Twenty48-v0": ("around", in_turn("left", "down", "right", "down")),
    "assay/TwentyFour-v0": ("b-a+c+d", formula),
    "assay/TwentyQuestions-v0": ("names", names),
}


def turns_of(env: TaskEnv, task: Task, agent: str) -> Iterable[str]:
    if agent == "silent":
        return itertools.repeat("")
    if agent == "echo":
        return itertools.repeat(text_of(task.messages()[-1]))
    if env.spec is not None and agent == HABITS.get(env.spec.id, ("",))[0]:
        return HABITS[env.spec.id][1](env, task)
    return env.demonstrate(task, agent, np.random.default_rng(derive_seed("chance", agent, task.id)))


def judged(env: TaskEnv, task: Task, turns: Iterable[str]) -> Verdict:
    env.reset(options={"task": task})
    for turn in turns:
        *_, info = env.step(turn)
        if "verdict" in info:
            verdict: Verdict = info["verdict"]
            return verdict
    return env.out_of_turns()


def measure(env_id: str, tasks: int, options: Mapping[str, Any]) -> None:
    try:
        env = assay.make(env_id, **options).unwrapped
    except ConfigError as reason:
        print(f"{env_id:28} left out: {reason}")
        return
    assert isinstance(env, TaskEnv)
    if env.tasks.size is None:
        for style in (*env.demonstration_styles, "silent", "echo", *HABITS.get(env_id, ())[:1]):
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
    parser.add_argument("--options", type=json.loads, default={})
    parser.add_argument("environments", nargs="*")
    options = parser.parse_args()
    for env_id in options.environments or sorted(name for name in gymnasium.registry if name.startswith("assay/")):
        measure(env_id, options.tasks, options.options)


if __name__ == "__main__":
    main()
