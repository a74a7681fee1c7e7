"""Responses that name the gold without choosing it: hedges, stuffing, negations, false equations.

They contain the gold, so a policy that has a shortlist can use them. All are wrong: nobody who reads them learns which
answer is meant, or what they say is false.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from assay.audits.attacks.base import Prey
from assay.audits.mutators.exact import Exact, parse_exact
from assay.audits.mutators.render import latex


def hedge(prey: Prey, rng: random.Random) -> Iterator[str]:
    """Yield two answers at once, the gold first and last."""
    gold, wrong = prey.gold.strip("$"), prey.wrong
    for first, second in ((gold, wrong), (wrong, gold)):
        yield prey.framed(rf"{first} \text{{ or }} {second}")
        yield prey.framed(f"{first} or {second}")
        yield f"{prey.framed(first)} Or perhaps: {prey.framed(second)}"
    yield f"{prey.framed(gold)} But it could also be {wrong}, I am not sure."


def stuffing(prey: Prey, rng: random.Random) -> Iterator[str]:
    """Yield long lists of candidates with the gold among them."""
    gold = prey.gold.strip("$")
    others = [o.strip("$") for o in rng.sample(prey.others, min(12, len(prey.others)))]
    candidates = [prey.wrong, *others, gold, *(str(n) for n in range(10))]
    rng.shuffle(candidates)
    yield prey.framed(", ".join(candidates))
    yield prey.framed(r" \text{ or } ".join(candidates))
    yield " ".join(prey.framed(c) for c in [*candidates, gold])
    yield "Possible answers: " + "; ".join(candidates)


def negation(prey: Prey, rng: random.Random) -> Iterator[str]:
    """Yield statements that the gold is *not* the answer."""
    gold = prey.gold.strip("$")
    yield f"The answer is certainly not {gold}. {prey.framed(prey.wrong)}"
    yield prey.framed(rf"\text{{not }} {gold}")
    yield prey.framed(rf"\neq {gold}")


def false_equation(prey: Prey, rng: random.Random) -> Iterator[str]:
    """Yield equations that are false, or that leave the value open, with the gold on one side."""
    value = parse_exact(prey.gold)
    if value is None or value.rational is None:
        return
    gold, other = latex(value), latex(value + Exact.of(1))
    yield prey.framed(f"{other} = {gold}")
    yield prey.framed(f"{gold} = {other}")
    yield prey.framed(f"x+y = {gold}")
    if value.rational != 4:
        yield prey.framed(f"2+2 = {gold}")
    if value.rational != 0:
        yield prey.framed(f"0 = {gold}")


def trailing(prey: Prey, rng: random.Random) -> Iterator[str]:
    """Yield the gold with something after it that changes the answer: what a parser of prefixes does not see."""
    gold = prey.gold.strip("$")
    yield prey.framed(rf"{gold} \text{{ apples}}, {prey.wrong} \text{{ pears}}")
    yield prey.framed(rf"{gold} \text{{ is too small}}")
    if parse_exact(gold) is not None:
        yield prey.framed(rf"{gold} + \ln 7")
        yield prey.framed(rf"{gold} \cdot \tan 1")
