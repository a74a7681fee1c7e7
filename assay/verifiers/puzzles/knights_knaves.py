"""`knights_knaves`: knights tell the truth and knaves lie; who is who?

`metadata["claims"]` holds what each person says, as `[kind, person, ...]` with people counted from 0; an answer is
right when exactly the knights in it tell the truth. Without claims the answer must be `task.target`. Answers are
letters, K for a knight and N for a knave, after the last `#`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.verifiers.base import Evidence, Verifier
from assay.verifiers.puzzles.final import final_text

PEOPLE = "ABCDEFGH"
KINDS = {"knight": 1, "knave": 1, "same": 2, "differ": 2, "some": 2, "none": 2}
"""What can be said, and of how many people."""

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
        a, b = PEOPLE[self.about[0]], PEOPLE[self.about[-1]]
        return {
            "knight": f"{a} is a knight",
            "knave": f"{a} is a knave",
            "same": f"{a} and {b} are the same",
            "differ": f"{a} and {b} differ",
            "some": f"{a} or {b} is a knight",
            "none": f"{a} and {b} are knaves",
        }[self.kind]


def consistent(claims: Sequence[Claim], world: World) -> bool:
    """Whether exactly the knights tell the truth; `claims[i]` is what person i says."""
    return all(claim.holds(world) == knight for claim, knight in zip(claims, world, strict=True))


def solutions(claims: Sequence[Claim]) -> list[World]:
    """Return all worlds in which exactly the knights tell the truth."""
    return [world for world in product((True, False), repeat=len(claims)) if consistent(claims, world)]


def write(world: World) -> str:
    """Return a world as letters."""
    return "".join("K" if knight else "N" for knight in world)


def read_claims(rows: object) -> tuple[Claim, ...]:
    """Return the claims of a task's metadata; ValueError says which one is none."""
    if not isinstance(rows, list | tuple) or not rows:
        raise ValueError("claims are a list of [kind, person, ...]")
    claims = []
    for row in rows:
        kind, *about = row if isinstance(row, list | tuple) and row else (None,)
        people = all(type(person) is int and 0 <= person < len(rows) for person in about)
        if not isinstance(kind, str) or KINDS.get(kind) != len(about) or not people:
            raise ValueError(f"no claim: {row!r}")
        claims.append(Claim(kind, tuple(about)))
    return tuple(claims)


class KnightsKnavesVerifier(Verifier):
    """Correct when the letters after the last `#` keep the rule."""

    name = "knights_knaves"

    def check_target(self, task: Task) -> str | None:
        """The claims must be readable; without claims the target must be letters K and N."""
        if "claims" in task.metadata:
            try:
                read_claims(task.metadata["claims"])
            except ValueError as error:
                return str(error)
            return None
        return None if re.fullmatch("[KN]{2,}", str(task.target)) else f"not a solution: {task.target!r}"

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Check; spaces and commas between the letters and their case do not matter."""
        if complaint := self.check_target(task):
            return no_verdict(f"gold: {complaint}", status="unparsable")
        answer = final_text(evidence.text, plain=True)
        if answer is None:
            return wrong("no answer", status="no_answer")
        letters = re.sub(r"[\s,]|\.\Z", "", answer).upper()
        if not re.fullmatch("[KN]{1,99}", letters):
            return wrong("what follows '#' is not letters K and N", status="unparsable", extracted=answer[:100])
        if "claims" not in task.metadata:
            solved = letters == task.target
        else:
            claims = read_claims(task.metadata["claims"])
            solved = len(letters) == len(claims) and consistent(claims, tuple(letter == "K" for letter in letters))
        return right(extracted=letters) if solved else wrong("not a solution", extracted=letters)
