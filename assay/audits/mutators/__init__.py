"""Certified mutants: right and wrong answers made from golds, each with the proof that it is right or wrong.

To teach the audit another kind of gold, write a `TaskMutator` (see `base`; `calls` is the model) and put it into
`TASK_MUTATORS`: everything else (rates, conventions, findings, stability, symmetry) follows.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from assay.audits.calls import read_calls
from assay.audits.case import Case, Certificate
from assay.audits.frames import framed
from assay.audits.mutators.algebra import algebra_mutants
from assay.audits.mutators.bank import BANK_PREFIX, bank_calls, bank_cases
from assay.audits.mutators.base import Mutant, Mutator, TaskMutator
from assay.audits.mutators.calls import call_mutants
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
from assay.audits.mutators.options import option_mutants
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

TASK_MUTATORS: Sequence[TaskMutator] = (call_mutants, option_mutants)
"""Asked before those, with the whole case; the first that reads it owns it."""

_Source = tuple[str, Case]
"""Class of the bank (empty for the user's golds), and a case that brings target, problem and metadata."""


def mutants(gold: str, rng: random.Random) -> list[Mutant]:
    """Return all certified mutants of a textual gold: of its class, or layout rewrites when no class can read it."""
    return _first([m for m in _distinct(mutator(gold, rng)) if m.text != gold] for mutator in MUTATORS)


def case_mutants(case: Case, rng: random.Random, frame: str = "{answer}") -> list[Mutant]:
    """Return all certified mutants of a case's gold, the gold itself first; none when nothing can read it."""
    own = _first(_distinct(mutator(case, rng, frame)) for mutator in TASK_MUTATORS)
    if own:
        if any(m.family == "identity" for m in own):
            return own
        return [_itself(case, own[0].cls), *(m for m in own if m.text != str(case.target))]
    made = mutants(str(case.target), rng) if is_textual(case) else []
    return [_itself(case, made[0].cls), *made] if made else []


def is_textual(case: Case) -> bool:
    """Whether the gold is a text or a number, which can be written as an answer; calls and programs are not."""
    plain = isinstance(case.target, (str, int, float)) and not isinstance(case.target, bool)
    return plain and read_calls(case.target) is None


def _itself(case: Case, cls: str) -> Mutant:
    return Mutant(str(case.target), cls, "identity", Certificate("equal", "identity", "the gold itself"))


def _first(found: Iterable[list[Mutant]]) -> list[Mutant]:
    return next((made for made in found if made), [])


def _distinct(made: Iterable[Mutant]) -> list[Mutant]:
    return list({m.text: m for m in reversed(list(made))}.values())[::-1]


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
    Golds that nothing can read have no mutants.
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
        made = case_mutants(source, rng, frame)
        if not made:
            continue
        out.append(_case(source, hint, made[0], frame))
        for correct in (True, False):
            mine = [m for m in made[1:] if m.correct is correct]
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
    """Return one case for each gold (and question) that is a text, a number, or a list of calls."""
    kept: dict[str, Case] = {}
    for case in golds:
        if is_textual(case) or read_calls(case.target) is not None:
            kept.setdefault(f"{case.target}\x00{case.problem}", case)
    return list(kept.values())


def _case(source: Case, hint: str, mutant: Mutant, frame: str) -> Case:
    cls = hint or mutant.cls
    return Case(
        id=f"{source.id}/{mutant.family}/{short_hash(mutant.text, 6)}",
        target=source.target,
        response=mutant.text if mutant.whole else framed(frame, mutant.text),
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


__all__ = [
    "BANK_PREFIX",
    "Mutant",
    "bank_calls",
    "bank_cases",
    "case_mutants",
    "certified_cases",
    "distinct_golds",
    "is_textual",
    "mutants",
]
