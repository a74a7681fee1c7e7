"""The last tier: sympy in killable processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assay.verifiers.answers.normalise import clean
from assay.verifiers.answers.parser import parse
from assay.verifiers.answers.symbolic import decode, encode, equal_encoded
from assay.verifiers.answers.verifier import MathVerifier
from assay.verifiers.answers.worker import QUEUE, Busy, SymbolicTier


@pytest.fixture(scope="module")
def verifier() -> Iterator[MathVerifier]:
    made = MathVerifier(worker=SymbolicTier(patience=60, cpu_seconds=20))  # a busy machine must not decide
    made.warm()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("gold", "answer", "same"),
    [
        (r"\frac13", r"\int_0^1 x^2 dx", True),
        (r"\frac12", r"\int_0^1 x^2 dx", False),
        ("1", r"\lim_{x\to 0}\frac{\sin x}{x}", True),
        (r"\frac{\pi^2}{6}", r"\sum_{n=1}^{\infty}\frac{1}{n^2}", True),
        ("2", r"\int_0^\pi \sin x dx", True),
        (r"\ln 2", r"\int_1^2 \frac{dx}{x}", True),
        (r"\frac{\pi^2}{8}", r"\sum_{n=1}^{\infty}\frac{1}{n^2}", False),
    ],
)
def test_integrals_limits_and_series(verifier: MathVerifier, gold: str, answer: str, same: bool) -> None:
    verdict = verifier.verify_answer(gold, answer)
    assert (verdict.correct, verdict.stage) == (same, "worker")


@pytest.fixture(scope="module")
def strict() -> Iterator[MathVerifier]:
    made = MathVerifier(worker=SymbolicTier(patience=60))  # only the worker's own processor time is limited
    made.warm()
    yield made
    made.close()


def test_an_expensive_answer_is_killed_and_refused(strict: MathVerifier) -> None:
    verdict = strict.verify_answer("5", r"\sum_{k=1}^{100000000} \sin(k^{k})")
    assert (verdict.status, verdict.score) == ("timeout", 0.0)


def test_an_expensive_gold_is_no_verdict(strict: MathVerifier) -> None:
    verdict = strict.verify_answer(r"\sum_{k=1}^{100000000} \sin(k^{k})", "5")
    assert (verdict.status, verdict.score) == ("timeout", None)


def test_the_first_question_waits_for_the_processes_to_start() -> None:
    tier = SymbolicTier(patience=0, cpu_seconds=20)
    try:
        tier.equal(parse("x"), parse("y"))
    except Busy as busy:  # as every question of somebody without patience
        assert str(busy) == "the workers are busy"
    assert tier.warm().done()
    tier.close()


def test_a_full_queue_refuses_at_once() -> None:
    tier = SymbolicTier(patience=60, cpu_seconds=20)
    tier.warm().result()
    tier._in_hand = QUEUE
    with pytest.raises(Busy):
        tier.equal(parse("x"), parse("y"))
    tier.close()


def test_waiting_for_a_worker_is_no_verdict_and_not_remembered() -> None:
    tier = SymbolicTier(patience=60, cpu_seconds=20)
    verifier = MathVerifier(worker=tier)
    verifier.warm()
    tier._in_hand = QUEUE
    verdict = verifier.verify_answer(r"\frac13", r"\int_0^1 x^2 dx")
    assert (verdict.status, verdict.score) == ("timeout", None)
    tier._in_hand = 0
    assert verifier.verify_answer(r"\frac13", r"\int_0^1 x^2 dx").correct is True
    verifier.close()


def test_without_workers_a_sum_is_not_shown_equal() -> None:
    assert MathVerifier(worker=False).verify_answer(r"\frac13", r"\int_0^1 x^2 dx").correct is False


@pytest.mark.parametrize("text", ["x+1", r"\frac{1}{2}", r"\sin^2 x", r"\sqrt[3]{2}", r"\int_0^1 x dx", r"\ln 2 + e"])
def test_encoding_round_trip(text: str) -> None:
    encoded = encode(parse(clean(text)))
    assert equal_encoded(encoded, encoded)
    assert decode(encoded).free_symbols <= {decode(["sym", "x"])}


def test_only_known_functions_cross() -> None:
    with pytest.raises(ValueError, match="unknown function"):
        decode(["call", "sympify", ["num", "1", "1"]])
    with pytest.raises(ValueError):
        encode(parse(clean("f(x)")))
