"""assay/VulnRepair-v0: repair a vulnerable Python function without losing what it is good for.

Attacks on the repaired function must fail, tests of its behaviour must pass, and a static analyser must find nothing.
Tasks come from generators of fifteen kinds of weaknesses; names, constants and forms vary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from assay.core.errors import ConfigError
from assay.core.message import text_of
from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.base import SingleTurnEnv
from assay.envs.code.source import fenced
from assay.envs.code.weaknesses import draw_weakness, family_names
from assay.envs.leaks import unshown
from assay.envs.procedural import prompt, task_source
from assay.verifiers.code.grade import GradingSandbox
from assay.verifiers.code.vuln_repair import VulnRepairVerifier

ENV_ID = "assay/VulnRepair-v0"
_INSTRUCTIONS = (
    "The Python code has a security weakness. Repair it: attacks must fail, with an exception or a harmless result, "
    "and everything that it does for honest input must stay as it is. Use the standard library only. Answer with the "
    "whole code in one ```python code block."
)


@dataclass(frozen=True)
class WeaknessGenerator:
    """Tasks of the chosen families."""

    families: tuple[str, ...]
    hint: bool = True
    instructions: str = field(default="", compare=False, repr=False)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one problem."""
        weakness = draw_weakness(rng, self.families)
        named = f"It has this weakness: {weakness.title} ({weakness.cwe}).\n\n" if self.hint else ""
        return {
            "prompt": prompt(f"{named}{fenced(weakness.vulnerable)}", self.instructions),
            "key": weakness.vulnerable,
            "target": {
                "entry_point": weakness.entry_point,
                "harness": weakness.harness,
                "behaviour": list(weakness.behaviour),
                "exploits": list(weakness.exploits),
            },
            "tags": (weakness.family, weakness.cwe),
            "metadata": {"vulnerable": weakness.vulnerable, "solution": weakness.repaired},
        }


class VulnRepairEnv(SingleTurnEnv):
    """Repairs of vulnerable functions, judged by attacks, behaviour and a static analyser.

    Options:
        families: Kinds of weaknesses to draw from; None takes all. Train and eval functions are never the same; other
            families in `eval_options` measure what was learned beyond the kinds seen.
        hint: Name the weakness in the prompt.
        analysis: Whether findings of the static analyser count.
        instructions: Explain the task in a system message.

    Demonstrations: `repaired`; `unchanged` hands the code in as it is; `emptied` drops what the function does.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("repaired", "unchanged", "emptied")

    def __init__(
        self,
        *,
        families: Sequence[str] | None = None,
        hint: bool = True,
        analysis: bool = True,
        instructions: bool = True,
        split: Split = "train",
        sandbox: GradingSandbox | None = None,
        render_mode: str | None = None,
    ) -> None:
        known = family_names()
        if families is not None and not families:
            raise ConfigError(f"families must name at least one of {', '.join(known)}")
        chosen = known if families is None else tuple(families)
        draw_weakness(np.random.default_rng(0), chosen)  # refuses unknown names
        generator = WeaknessGenerator(chosen, hint, _INSTRUCTIONS if instructions else "")
        tasks = task_source(ENV_ID, split, generator, WeaknessGenerator(known))
        super().__init__(tasks, VulnRepairVerifier(analysis=analysis, sandbox=sandbox), render_mode=render_mode)

    def secret(self, task: Task) -> list[str]:
        """Return of attacks and behaviour what the code in the question does not hold."""
        question = "\n".join(text_of(message) for message in task.messages())
        return unshown([task.target["behaviour"], task.target["exploits"]], question)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return one turn with a program."""
        if style == "repaired":
            return [fenced(task.metadata["solution"])]
        if style == "unchanged":
            return [fenced(task.metadata["vulnerable"])]
        if style == "emptied":
            return [fenced(f"def {task.target['entry_point']}(*args):\n    return None")]
        return super().demonstrate(task, style, rng)
