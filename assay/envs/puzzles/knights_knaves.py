"""assay/KnightsKnaves-v0: knights tell the truth and knaves lie; who is who?

    A: B is a knave
    B: A and C are the same

is answered by one letter for each person, `#KNN` with K for a knight and N for a knave. Every puzzle has exactly one
solution, found by trying all; the answer is the whole rest of the text after the last `#`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.seeding import Split
from assay.core.task import Problem, Task
from assay.core.verdict import Verdict, right, wrong
from assay.envs.base import SingleTurnEnv
from assay.envs.final_answer import final_text
from assay.envs.procedural import check_between, prompt, task_source
from assay.verifiers.base import Evidence, Verifier

ENV_ID = "assay/KnightsKnaves-v0"
_PEOPLE = "ABCDEFGH"
_INSTRUCTIONS = (
    "Every person is either a knight, who always tells the truth, or a knave, who always lies. From what they say, "
    "find out who is what. Think step by step, and end with # and one letter for each person in alphabetical order, "
    "K for a knight and N for a knave, such as #KNK."
)
World = tuple[bool, ...]
"""Who is a knight."""


class Claim(NamedTuple):
    """What a person says: about one person, or about two."""

    kind: str
    about: tuple[int, ...]

    def holds(self, world: World) -> bool:
        """Whether it is true in a world."""
        first, last = world[self.about[0]], world[self.about[-1]]
        return {
            "knight": first,
            "knave": not first,
            "same": first == last,
            "differ": first != last,
            "some": first or last,
            "none": not first and not last,
        }[self.kind]

    def render(self) -> str:
        """Return the claim in words."""
        a, b = _PEOPLE[self.about[0]], _PEOPLE[self.about[-1]]
        return {
            "knight": f"{a} is a knight",
            "knave": f"{a} is a knave",
            "same": f"{a} and {b} are the same",
            "differ": f"{a} and {b} differ",
            "some": f"{a} or {b} is a knight",
            "none": f"{a} and {b} are knaves",
        }[self.kind]


def solutions(claims: Sequence[Claim]) -> list[World]:
    """Return all worlds in which exactly the knights tell the truth; `claims[i]` is what person i says."""
    worlds = product((True, False), repeat=len(claims))
    return [world for world in worlds if all(claim.holds(world) == world[i] for i, claim in enumerate(claims))]


@dataclass(frozen=True)
class KnightsKnavesGenerator:
    """Puzzles with exactly one solution, one claim a person."""

    people: int = 3
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        check_between("people", self.people, 2, len(_PEOPLE))

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one puzzle."""
        while True:
            claims = [self._claim(i, rng) for i in range(self.people)]
            found = solutions(claims)
            if len(found) == 1:
                break
        text = "\n".join(f"{_PEOPLE[i]}: {claim.render()}" for i, claim in enumerate(claims))
        return {
            "prompt": prompt(text, self.instructions),
            "key": text,
            "target": write(found[0]),
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


class KnightsKnavesVerifier(Verifier):
    """Correct when the letters after the last `#` are the solution."""

    name = "knights_knaves"

    def check_target(self, task: Task) -> str | None:
        """The solution must be letters K and N."""
        return None if re.fullmatch("[KN]{2,}", str(task.target)) else f"not a solution: {task.target!r}"

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Compare; spaces and commas between the letters and their case do not matter."""
        answer = final_text(evidence.text, plain=True)
        if answer is None:
            return wrong("no answer", status="no_answer")
        letters = re.sub(r"[\s,]|\.\Z", "", answer).upper()
        if not re.fullmatch("[KN]{1,99}", letters):
            return wrong("what follows '#' is not letters K and N", status="unparsable", extracted=answer[:100])
        if letters == task.target:
            return right(extracted=letters)
        return wrong("not the solution", extracted=letters)


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


def write(world: World) -> str:
    """Return a world as letters."""
    return "".join("K" if knight else "N" for knight in world)
