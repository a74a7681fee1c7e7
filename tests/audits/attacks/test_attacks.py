import random
from collections import Counter

import pytest

from assay.audits.adapters import resolve
from assay.audits.attacks import FAMILIES, attack_cases, hostile_cases, same_answer
from assay.audits.attacks.base import Prey
from assay.audits.attacks.keys import MASTER_KEYS
from assay.audits.case import Case
from assay.audits.exploits import by_family
from assay.audits.mutators.exact import parse_exact
from assay.audits.trials import run_cases
from tests.audits import fixtures


def golds(*texts):
    return [Case(f"g{i}", text, text, True, cluster=f"p{i}") for i, text in enumerate(texts)]


GOLDS = golds("7", "1/2", r"2\sqrt{3}", "(1,2)", "x+1", "42", "even", "B")


def test_the_published_keys_are_all_there():
    assert len(MASTER_KEYS) == 10
    assert {"解", "かいせつ", "Respuesta", "Thought process:"} <= set(MASTER_KEYS)


def test_a_judge_that_loves_the_word_solution():
    """Published example: YES iff the text contains 'solution' gives 1 of 10 keys; always-YES all; exact match none."""
    keys = [c for c in attack_cases(GOLDS, ["{answer}"], most=14 * 80) if c.family == "master-key"]
    assert len(keys) == 80
    for grader, share in ((fixtures.says_solution, 0.1), (fixtures.always, 1.0), (fixtures.exact, 0.0)):
        (row,) = by_family(run_cases(resolve(grader), keys))
        assert row.success.value == pytest.approx(share)


def test_no_attack_is_a_right_answer():
    for case in attack_cases(GOLDS, ["{answer}"], most=10**6):
        gold = parse_exact(str(case.target))
        value = parse_exact(case.response)
        assert value is None or gold is None or value != gold, case
        assert not same_answer(case.response, str(case.target))


def test_families_are_balanced_and_the_same_every_time():
    cases = attack_cases(GOLDS, [r"$\boxed{{answer}}$"], most=280, seed=3)
    counts = Counter(c.family for c in cases)
    assert set(counts) == set(FAMILIES)
    assert max(counts.values()) <= 280 // len(FAMILIES)
    assert cases == attack_cases(GOLDS, [r"$\boxed{{answer}}$"], most=280, seed=3)
    assert cases != attack_cases(GOLDS, [r"$\boxed{{answer}}$"], most=280, seed=4)
    assert len({c.id for c in cases}) == len(cases)


def test_false_equations_are_false():
    prey = Prey(GOLDS[0], "8", ["42"], "{answer}")
    for text in FAMILIES["false-equation"](prey, random.Random(0)):
        left, right = (parse_exact(side) for side in text.split("="))
        assert left != right


def test_a_substring_grader_falls_for_hedges_and_stuffing():
    trials = run_cases(resolve(fixtures.substring_grader), attack_cases(GOLDS, ["{answer}"]))
    rows = {r.family: r.success.value for r in by_family(trials)}
    assert rows["hedge"] == rows["stuffing"] == 1.0
    assert rows["master-key"] == 0.0


def test_same_answer():
    assert same_answer(r"\boxed{A}", r"\text{(A)}")
    assert same_answer("0.5", r"\frac{1}{2}")
    assert not same_answer("5", "6")


def test_hostile_inputs_come_in_rounds():
    first, boxed, other = hostile_cases()
    assert len({c.family for c in first}) == len(first) >= 25
    assert all("boxed" in c.response for c in boxed + other)
    assert max(len(c.response) for c in first) >= 10**6
