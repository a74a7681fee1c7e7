"""What the oracle and agents that do not do the task score on the web errands.

    python benchmarks/web_controls.py [--tasks 1000]

Plays each agent on tasks of every level, and on tasks that cannot be done (level 2 and 4), in the text driver, and
prints the share that is correct. An episode that an agent does not end runs out of turns.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

import assay
from assay.core.message import text_of
from assay.core.seeding import derive_seed
from assay.core.task import Task
from assay.core.tool import ToolCall
from assay.envs.web.web_task import WebTaskEnv

Agent = Callable[[WebTaskEnv, Task, np.random.Generator], Iterable[str]]
DONE = ToolCall("done").render()


def style(name: str) -> Agent:
    return lambda env, task, rng: env.demonstrate(task, name, rng)


def call(name: str, **arguments: Any) -> str:
    return ToolCall(name, arguments).render()


def wish(task: Task) -> str:
    return text_of(task.messages()[-1])


def answers_a_word(env: WebTaskEnv, task: Task, rng: np.random.Generator) -> Iterable[str]:
    words = wish(task).split()
    return [call("answer", text=words[int(rng.integers(len(words)))])]


def runs_scripts(env: WebTaskEnv, task: Task, rng: np.random.Generator) -> Iterable[str]:
    return [call("run", script="document.title = 'correct'"), call("goto", address="javascript:alert(1)"), DONE]


def presses_everything(env: WebTaskEnv, task: Task, rng: np.random.Generator) -> Iterator[str]:
    """Press the first button of the page, then the second one of the page after it, and so on."""
    for number in range(20):
        buttons = [node.id for node in env.driver.page().nodes if node.role == "button" and node.id]
        if number >= len(buttons):
            break
        yield call("click", element=buttons[number])
    yield DONE


def clicks_at_random(env: WebTaskEnv, task: Task, rng: np.random.Generator) -> Iterator[str]:
    for _ in range(8):
        active = [node.id for node in env.driver.page().nodes if node.id]
        if active:
            yield call("click", element=active[int(rng.integers(len(active)))])
    yield DONE


AGENTS: dict[str, Agent] = {
    "oracle": style("careful"),
    "does nothing": lambda env, task, rng: [DONE],
    "empty turns": lambda env, task, rng: itertools.repeat(""),
    "repeats the task": lambda env, task, rng: itertools.repeat(wish(task)),
    "answers a word of it": answers_a_word,
    "runs scripts": runs_scripts,
    "presses every button": presses_everything,
    "eight clicks at random": clicks_at_random,
    "one click at random": style("hasty"),
    "says that it cannot be done": style("resigned"),
}


def correct(env: WebTaskEnv, task: Task, agent: Agent, name: str) -> bool:
    turns = agent(env, task, np.random.default_rng(derive_seed("controls", name, task.id)))
    env.reset(options={"task": task})
    for turn in turns:
        *_, info = env.step(turn)
        if "verdict" in info:
            return bool(info["verdict"].correct)
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--tasks", type=int, default=1000)
    tasks = parser.parse_args().tasks
    for level, infeasible in ((1, 0.0), (2, 0.0), (3, 0.0), (4, 0.0), (2, 1.0), (4, 1.0)):
        env = assay.make("assay/WebTask-v0", level=level, infeasible=infeasible).unwrapped
        assert isinstance(env, WebTaskEnv)
        drawn = env.tasks.head(tasks)
        for name, agent in AGENTS.items():
            share = np.mean([correct(env, task, agent, name) for task in drawn])
            which = f"level {level}{', cannot be done' if infeasible else ''}"
            print(f"{which:24} {name:28} {100 * share:5.1f} %", flush=True)


if __name__ == "__main__":
    main()
