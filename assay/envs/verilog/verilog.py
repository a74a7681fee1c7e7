"""assay/Verilog-v0: write a module from its specification, or complete one; with more turns, mend what the tools say.

Without `data`, tasks come from families of generated designs with golden models in Python. In several turns, a turn
whose design does well on a public stimulus ends the episode; when the turns run out, the last design is judged. The
stimulus that judges is never shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from assay.core.errors import ConfigError
from assay.core.message import Observation, user
from assay.core.task import Task, TaskSet, of_split
from assay.core.verdict import Verdict
from assay.envs.base import Progress, TaskEnv, play, say
from assay.envs.procedural import task_source
from assay.envs.verilog.designs import DesignGenerator
from assay.envs.verilog.designs.catalogue import INSTRUCTIONS
from assay.envs.verilog.feedback import Feedback
from assay.envs.verilog.layouts import design_tasks
from assay.sandboxes import Sandbox
from assay.verifiers.verilog.extract import extract_design
from assay.verifiers.verilog.mutants import mutants
from assay.verifiers.verilog.rewards import make_reward
from assay.verifiers.verilog.target import read_target

ENV_ID = "assay/Verilog-v0"
SplitName = Literal["all", "train", "eval"]


class VerilogEnv(TaskEnv):
    """Hardware designs, checked by simulation of source and netlist.

    Options:
        data: a VerilogEval v2 or RTLLM folder, or rows; without it designs are generated.
        levels: of generated designs, 1 to 3: a number, or [first, last].
        families: of generated designs; all of them by default.
        style: `spec`: write the whole module. `complete`: continue after its head. For generated designs.
        cycles: of the stimulus of generated designs.
        reward: `correct`, `graded`, or a preset: `verireason`, `chipseek`.
        ppa: what a correct design may earn above 1 for being as small and fast as the reference.
        max_turns: with more than one, the tools answer between the turns.
        instructions: explain generated tasks in a system message.
        split: `train` or `eval`; of `data` also `all`, its default.
        limit: read only the first tasks of `data`.
        sandbox: where the tools run; by default one that the process keeps for designs.

    Demonstrations: `solution` is the reference; `slip` is a design with one small fault, mended
    where there is another turn.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("solution", "slip")

    def __init__(
        self,
        *,
        data: str | Path | None = None,
        levels: int | Sequence[int] = (1, 3),
        families: Sequence[str] = (),
        style: Literal["spec", "complete"] = "spec",
        cycles: int = 256,
        reward: str = "correct",
        ppa: float = 0.0,
        max_turns: int = 1,
        instructions: bool = False,
        split: SplitName | None = None,
        limit: int | None = None,
        sandbox: Sandbox | None = None,
        render_mode: str | None = None,
    ) -> None:
        if style not in ("spec", "complete"):
            raise ConfigError(f"style must be 'spec' or 'complete', not {style!r}")
        if split not in (None, "all", "train", "eval"):
            raise ConfigError(f"split must be 'all', 'train' or 'eval', not {split!r}")
        tasks: TaskSet
        if data is not None:
            tasks = of_split(design_tasks(data, limit), split, data)
        elif split == "all":
            raise ConfigError("generated tasks belong to split 'train' or 'eval'; 'all' is for data")
        else:
            options: dict[str, Any] = {"levels": levels, "families": tuple(families), "cycles": cycles}
            generator = DesignGenerator(
                **options, complete=style == "complete", instructions=INSTRUCTIONS if instructions else ""
            )
            tasks = task_source(ENV_ID, split or "train", generator, DesignGenerator())
        self._grader = make_reward(reward, ppa=ppa, sandbox=sandbox)
        self._feedback: Feedback | None = None
        super().__init__(tasks, self._grader, max_turns=max_turns, render_mode=render_mode)

    def begin(self, task: Task) -> Observation:
        """Show the task."""
        self._feedback = None
        if self.max_turns > 1:
            target = read_target(task.target)
            self._feedback = Feedback(target) if target.reference else None
        return task.messages()

    def advance(self, action: str) -> Progress:
        """End the episode, or say what is wrong with the design."""
        if self._feedback is None:
            return Progress(done=True)
        code = extract_design(action, self._feedback.top)
        if code is None:
            return Progress((user("There is no complete ```verilog code block in your answer."),))
        said = self._feedback(code, self._grader.sandbox)
        return Progress(done=True) if said is None else Progress((user(said),))

    def out_of_turns(self) -> Verdict:
        """Judge the last design."""
        return self.judge()

    def secret(self, task: Task) -> list[Any]:
        """Return what tells the right design: names and interfaces stand in the question."""
        return [task.target[part] for part in ("reference", "testbench", "expected") if task.target.get(part)]

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return the turns of a demonstration."""
        solution = task.metadata.get("solution")
        if style not in self.demonstration_styles or not solution:
            return super().demonstrate(task, style, rng)
        if style == "solution":
            return [_fenced(solution)]
        slips = mutants(solution, rng, 1)
        first = _fenced(slips[0].source if slips else solution)
        return play(self, task, say(first, _fenced(solution)))

    def demonstration(self, task: Task) -> list[str] | None:
        """Return the reference as an answer, if the task has one."""
        return super().demonstration(task) if task.metadata.get("solution") else None


def _fenced(code: str) -> str:
    return f"```verilog\n{code.rstrip()}\n```"
