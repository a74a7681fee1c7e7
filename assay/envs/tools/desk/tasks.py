"""Tasks of the service desk: a world, a customer, one or two errands, and the end state that they call for.

The expected end state comes from the right calls, run on the task's own database.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from assay.core.task import Problem
from assay.envs.database import Rows
from assay.envs.procedural import prompt
from assay.envs.tools.desk.domain import Desk, Errand
from assay.envs.tools.desk.library import Library
from assay.envs.tools.desk.shop import Shop
from assay.envs.tools.desk.travel import Travel

DESKS: dict[str, type[Desk]] = {"shop": Shop, "library": Library, "travel": Travel}
_NUMBER = re.compile(r"(?<![\w.,])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\w|[.,]\d)")
_DIGITS = 100


@dataclass(frozen=True)
class DeskGenerator:
    """Random tasks of one domain.

    Level 1: the order or loan is given by number, and may have to be refused. Level 2: more kinds of errands; things
    are named and must be looked up. Level 3: two errands, and the customer must be asked what they are.
    """

    domain: str = "shop"
    level: int = 1
    instructions: bool = field(default=False, compare=False, repr=False)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one task."""
        desk = DESKS[self.domain]()
        while True:
            rows = desk.world(rng)
            people = desk.people(rows)
            caller, email = people[int(rng.integers(len(people)))]
            errands = choose(desk.errands(rng, rows, caller, email, self.level), 2 if self.level == 3 else 1, rng)
            wishes = " ".join(errand.wish if self.level == 1 else errand.vague for errand in errands)
            figure = next((errand.figure for errand in errands if errand.figure is not None), None)
            if figure not in figures(wishes):  # what the customer said already would be no news
                break
        opening, facts = f"I am {email}. {wishes}", {}
        if self.level == 3:
            opening, facts = "Hello, can you help me?", {"email": f"I am {email}.", "wishes": wishes}
        target = {"changes": _end_state(desk, rows, caller, errands), "figure": figure}
        return {
            "prompt": prompt(opening, desk.policy if self.instructions else ""),
            "key": json.dumps([opening, facts, target]),
            "target": target,
            "difficulty": float(self.level),
            "tags": tuple(dict.fromkeys([*(e.kind for e in errands), *(e.outcome for e in errands)])),
            "metadata": {
                "rows": rows,
                "caller": caller,
                "facts": facts,
                "plan": plan(desk, errands, ask=self.level == 3),
            },
        }


def choose(errands: Sequence[Errand], n: int, rng: np.random.Generator) -> list[Errand]:
    """Draw errands by how they end, so that no answer is right most of the time; being served counts double.

    The errands of one conversation are about different things, and at most one asks for a figure.
    """
    chosen: list[Errand] = []
    while len(chosen) < n:
        left = [
            errand
            for errand in errands
            if errand.subject not in {other.subject for other in chosen}
            and (errand.figure is None or all(other.figure is None for other in chosen))
        ]
        ends = sorted({errand.outcome for errand in left})
        if "served" in ends:
            ends.append("served")
        end = ends[int(rng.integers(len(ends)))]
        chosen.append(next(errand for errand in left if errand.outcome == end))
    return chosen


def plan(desk: Desk, errands: Sequence[Errand], *, ask: bool) -> dict[str, Any]:
    """Return what demonstrations need: calls as canonical text, what may be said, and the guesses of the hasty."""
    lookup = dict.fromkeys(call.render() for errand in errands for call in errand.lookup)
    figure = next((errand.figure for errand in errands if errand.figure is not None), None)
    return {
        "greeting": desk.greeting if ask else "",
        "lookup": list(lookup),
        "checks": [call.render() for errand in errands for call in errand.checks],
        "right": [errand.right.render() for errand in errands if errand.right],
        "attempts": [errand.attempt.render() for errand in errands if errand.attempt],
        "refusals": [
            [desk.refusal(errand.attempt, reason).render() for reason in desk.reasons]
            for errand in errands
            if errand.attempt
        ],
        "closing": "Done." if figure is None else f"It is {figure}.",
    }


def _end_state(desk: Desk, rows: Rows, caller: int, errands: Sequence[Errand]) -> list[str]:
    desk.open(rows, caller)
    for errand in errands:
        if errand.right:
            getattr(desk, errand.right.name)(**errand.right.arguments)
    changes = desk.database.changes()
    desk.close()
    return changes


def figures(text: str) -> set[Fraction]:
    """Return the numbers that stand alone in a text, read as far as `_DIGITS` go: Python reads none without end."""
    return {Fraction(number.replace(",", "")[:_DIGITS]) for number in _NUMBER.findall(text)}
