"""An environment of several turns for the tests of wrappers, and the functions that their options name."""

from __future__ import annotations

from assay.core.message import user
from assay.core.task import Task, TaskList
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.envs.base import Progress, TaskEnv
from assay.verifiers.base import Verifier


class Marked(Verifier):
    """Right when the last turn is "right"; no verdict when it is "crash"."""

    def verify(self, task, evidence) -> Verdict:
        if evidence.text.endswith("crash"):
            return no_verdict("crashed")
        return right(parts={"answer": 1.0}) if evidence.text.endswith("right") else wrong(parts={"answer": 0.0})


class Walk(TaskEnv):
    """Answers every turn until one begins with "end"; a turn "on" is a step forward, of three."""

    demonstration_styles = ("oracle",)

    def __init__(self, max_turns: int = 6, split: str = "train") -> None:
        rows = [Task(id=f"{split}-{i}", prompt=f"{split} task {i}", target=i, tags=(f"t{i % 2}",)) for i in range(4)]
        super().__init__(TaskList(rows), Marked(), max_turns=max_turns)
        self.position = 0

    def begin(self, task):
        self.position = 0
        return super().begin(task)

    def advance(self, action: str) -> Progress:
        if action.startswith("end"):
            return Progress(done=True, parts={"walk": 0.0})
        self.position = min(self.position + (action == "on"), 3)
        return Progress([user(f"at {self.position}")], parts={"walk": 0.0})

    def demonstrate(self, task, style, rng):
        return ["on", "on", "end right"]


def phi(env: Walk) -> float:
    return 0.5 * min(env.position, 2)


def subgoals(env: Walk) -> list[bool]:
    return [env.position >= 2, env.position >= 1, env.position >= 3]


def words(text: str) -> int:
    return len(text.split())


def half(text: str) -> float:
    return 0.5


def play(env, actions, **options):
    """Play turns; return the steps."""
    env.reset(**(options or {"options": {"task": "train-0"}}))
    return [env.step(action) for action in actions]
