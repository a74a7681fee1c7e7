"""Is the number of ones in a bit string even or odd?"""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.core.seeding import Split
from assay.core.task import Problem, ProceduralTaskSet, Task
from assay.core.verdict import Verdict, right, wrong
from assay.envs.base import SingleTurnEnv
from assay.verifiers import Evidence, Verifier


class ParityVerifier(Verifier):
    """Correct when the last word is `even` or `odd`, whichever holds."""

    name = "parity"

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        words = evidence.text.lower().replace(".", " ").split()
        if not words or words[-1] not in ("even", "odd"):
            return wrong("the last word is neither 'even' nor 'odd'", status="no_answer")
        if words[-1] == task.target:
            return right(extracted=words[-1])
        return wrong(f"it is {task.target}", extracted=words[-1])

    def check_target(self, task: Task) -> str | None:
        return None if task.target in ("even", "odd") else f"the gold must be 'even' or 'odd', not {task.target!r}"


class ParityEnv(SingleTurnEnv):
    """Bit strings of a given length; one turn; the verifier reads the last word."""

    demonstration_styles = ("careful",)

    def __init__(self, length: int = 6, split: Split = "train", **kwargs: Any) -> None:
        def generate(rng: np.random.Generator) -> Problem:
            bits = "".join(str(b) for b in rng.integers(0, 2, length))
            target = "odd" if bits.count("1") % 2 else "even"
            return {"prompt": f"{bits}?", "target": target, "difficulty": float(length), "tags": (target,)}

        super().__init__(ProceduralTaskSet("acme/Parity-v0", split, generate), ParityVerifier(), **kwargs)

    def demonstration(self, task: Task) -> list[str]:
        return [str(task.target)]

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        return [str(task.target)]
