"""assay/KnightsKnaves-v0: knights tell the truth and knaves lie; who is who?

    A: B is a knave
    B: A and C are the same

is answered by one letter for each person, `#KNN` with K for a knight and N for a knave. Every puzzle has exactly one
solution, found by trying all; the verifier `knights_knaves` checks what everybody says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.envs.base import SingleTurnEnv
from assay.envs.procedural import check_between, prompt, task_source
from assay.verifiers.puzzles.knights_knaves import PEOPLE, Claim, KnightsKnavesVerifier, solutions, write

ENV_ID = "assay/KnightsKnaves-v0"
_INSTRUCTIONS = (
    "Every person is either a knight, who always tells the truth, or a knave, who always lies. From what they say, "
    "find out who is what. Think step by step, and end with # and one letter for each person in alphabetical order, "
    "K for a knight and N for a knave, such as #KNK."
)


@dataclass(frozen=True)
class KnightsKnavesGenerator:
    """Puzzles with exactly one solution, one claim a person."""

    people: int = 3
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("people", self.people, 2, len(PEOPLE))

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one puzzle."""
        while True:
            claims = [self._claim(i, rng) for i in range(self.people)]
            found = solutions(claims)
            if len(found) == 1:
                break
        text = "\n".join(f"{PEOPLE[i]}: {claim.render()}" for i, claim in enumerate(claims))
        return {
            "prompt": prompt(text, self.instructions),
            "key": text,
            "target": write(found[0]),
            "metadata": {"claims": [[claim.kind, *claim.about] for claim in claims]},
            "difficulty": float(self.people),
        }

    def _claim(self, speaker: int, rng: np.random.Generator) -> Claim:
        others = [i for i in range(self.people) if i != speaker]
        kinds = ("knight", "knave", "same", "differ", "some", "none")
        # Two people cannot speak of two others; then a claim about a pair includes the speaker.
        pair = [others[i] for i in rng.permutation(len(others))[:2].tolist()]
        kind = kinds[int(rng.integers(len(kinds)))]
        if kind in ("knight", "knave"):
            return Claim(kind, (pair[0],))
        if len(pair) < 2 or rng.random() < 0.3:
            pair = [speaker, pair[0]]
        return Claim(kind, tuple(sorted(pair)))


class KnightsKnavesEnv(SingleTurnEnv):
    """Logic puzzles with exactly one solution. Guessing solves 1 in 2^people.

    Options: `people` (2 to 8), `instructions`, `split`.

    Demonstrations: `solve` says the solution, `guess` any letters.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("solve", "guess")

    def __init__(
        self,
        *,
        people: int = 3,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        generator = KnightsKnavesGenerator(people, _INSTRUCTIONS if instructions else "")
        tasks = task_source(ENV_ID, split, generator, KnightsKnavesGenerator())
        super().__init__(tasks, KnightsKnavesVerifier(), render_mode=render_mode)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Return one turn."""
        if style == "solve":
            return [f"#{task.target}"]
        if style == "guess":
            return [f"#{write(tuple((rng.random(len(task.target)) < 0.5).tolist()))}"]
        return super().demonstrate(task, style, rng)
