"""Certified mutants: right and wrong answers made from golds, each with the proof that it is right or wrong."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from assay.audits.case import Case, Certificate
from assay.audits.frames import framed
from assay.audits.mutators.algebra import algebra_mutants
from assay.audits.mutators.bank import BANK_PREFIX, bank_cases
from assay.audits.mutators.base import Mutant, Mutator
from assay.audits.mutators.collections import collection_mutants, interval_mutants
from assay.audits.mutators.notation import (
    base_mutants,
    choice_mutants,
    equation_mutants,
    percent_mutants,
    quantity_mutants,
    sequence_mutants,
    word_mutants,
)
from assay.audits.mutators.numbers import number_mutants
from assay.audits.mutators.surface import surface_mutants
from assay.core.seeding import derive_seed, short_hash

MUTATORS: Sequence[Mutator] = (
    number_mutants,
    choice_mutants,
    word_mutants,
    quantity_mutants,
    algebra_mutants,
    base_mutants,
    percent_mutants,
    interval_mutants,
    collection_mutants,
    equation_mutants,
    sequence_mutants,
    surface_mutants,
)
"""In the order in which they are asked; the first that reads a gold owns it."""

_Source = tuple[str, Case]
"""Class of the bank (empty for the user's golds), and a case that brings target, problem and metadata."""


def mutants(gold: str, rng: random.Random) -> list[Mutant]:
    """Return all certified mutants of a gold: of its class, or layout rewrites when no class can read it."""
    seen = {gold}
    out: list[Mutant] = []
    for mutator in MUTATORS:
        for mutant in mutator(gold, rng):
            if mutant.text not in seen:
                seen.add(mutant.text)
                out.append(mutant)
        if out:
            break
    return out


def certified_cases(
    golds: Iterable[Case],
    bank: Sequence[Case],
    *,
    frame: str = "{answer}",
    seed: int = 0,
    per_gold: int = 3,
    most: int = 1500,
) -> list[Case]:
    """Return certified cases from the user's golds and from the bank: the gold itself, and its mutants.

    `bank` comes from `bank_cases`. Each gold of the user gets up to `per_gold` right and as many wrong mutants, each of
    the bank twice as many.
    Families take turns, so that rare ones are not drowned; when there are more than `most`, whole golds are left out.
    Golds that are not text have no mutants.
    """
    rng = random.Random(derive_seed("mutants", seed))
    given = [("", case) for case in distinct_golds(golds)]
    rng.shuffle(given)
    own = [(case.cls, case) for case in bank]
    out: list[Case] = []
    used: dict[tuple[str, str], int] = {}
    for hint, source in _alternately(given, own):
        if len(out) >= most:
            break
        gold = str(source.target)
        made = mutants(gold, rng)
        if not made:
            continue
        itself = Mutant(gold, made[0].cls, "identity", Certificate("equal", "identity", "the gold itself"))
        out.append(_case(source, hint, itself, frame))
        for correct in (True, False):
            mine = [m for m in made if m.correct is correct]
            rng.shuffle(mine)
            mine.sort(key=lambda m: used.get((hint or m.cls, m.family), 0))
            few = 2 if made[0].cls == "other" else 2 * per_gold if hint else per_gold
            for mutant in mine[:few]:
                key = (hint or mutant.cls, mutant.family)
                used[key] = used.get(key, 0) + 1
                out.append(_case(source, hint, mutant, frame))
    return out[:most]


def _alternately(a: Sequence[_Source], b: Sequence[_Source]) -> list[_Source]:
    return [source for pair in zip_longest(a, b) for source in pair if source is not None]


def distinct_golds(golds: Iterable[Case]) -> list[Case]:
    """Return one case for each textual or numeric gold (and question)."""
    kept: dict[str, Case] = {}
    for case in golds:
        if isinstance(case.target, (str, int, float)) and not isinstance(case.target, bool):
            kept.setdefault(f"{case.target}\x00{case.problem}", case)
    return list(kept.values())


def _case(source: Case, hint: str, mutant: Mutant, frame: str) -> Case:
    cls = hint or mutant.cls
    return Case(
        id=f"{source.id}/{mutant.family}/{short_hash(mutant.text, 6)}",
        target=source.target,
        response=framed(frame, mutant.text),
        correct=mutant.correct,
        origin="certified",
        cls=cls,
        family=mutant.family,
        problem=source.problem,
        cluster=source.cluster or source.id,
        metadata=source.metadata,
        certificate=mutant.certificate,
        answer=mutant.text,
    )


__all__ = ["BANK_PREFIX", "Mutant", "bank_cases", "certified_cases", "distinct_golds", "mutants"]
