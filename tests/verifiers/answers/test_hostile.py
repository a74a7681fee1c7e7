"""Hostile answers: every call stays short, nothing is accepted, honest answers beside them are still graded.

Times are processor time of the calling thread, so that a busy machine does not fail a test; the benchmark takes wall
time.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.verdict import Verdict
from assay.verifiers.answers.verifier import MathVerifier

VERIFIER = MathVerifier(worker=False)
HOSTILE = {
    "tower": "10^{10^{10}}",
    "tower of nines": "9^{9^{9^9}}",
    "python tower": "10**10**10",
    "power in a set": r"\{7^{999999999}, 10^{10^{10}}\}",
    "power in an interval": "(7^{999999999}, 10^{10^{10}})",
    "factorials": "((10!)!)!",
    "large factorial": "100000000!",
    "binomial": r"\binom{10^9}{5\cdot 10^8}",
    "long sum": r"\sum_{k=1}^{10000000} \sqrt{k}",
    "sums in sums": r"\sum_{a=1}^{150}\sum_{b=1}^{150}\sum_{c=1}^{150} abc",
    "angle": r"\sin(10^{10^6})",
    "digits under a root": r"\sqrt{" + "7" * 4000 + "}",
    "nested fractions": r"\frac{1}{" * 200 + "2" + "}" * 200,
    "nested roots": r"\sqrt{" * 500 + "2" + "}" * 500,
    "brackets": "(" * 3000 + "1" + ")" * 3000,
    "braces": "{" * 20000 + "1" + "}" * 20000,
    "bars": "|x" * 400,
    "large set": r"\{" + ",".join(map(str, range(3000))) + r"\}",
    "million digits": "9" * 10**6,
    "megabyte of words": "a b c " * 170_000,
    "megabyte of dollars": "$ x " * 250_000,
    "open delimiters": r"\(" * 100_000,
    "empty boxes": r"\boxed{}" * 20_000,
    "open boxes": r"\boxed{" * 20_000,
    "boxes": "".join(rf"\boxed{{{k}}} " for k in range(20_000)),
    "phrases": "the answer is " * 50_000,
    "marks": "#### " * 50_000,
    "blanks": " " * 10**6,
    "plus-minus": "(" + ",".join([r"\pm 1"] * 30) + ")",
    "irrational set": ",".join(rf"\sin({k}x)" for k in range(60)),
    "union": r"\cup ".join(rf"(\sqrt{{{k}}},\sqrt{{{k + 1}}})" for k in range(60)),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", ["{}", r"\boxed{{{}}}", "Answer: ${}$"])
def test_each_call_is_short_and_refused(name: str, form: str) -> None:
    text = form.format(HOSTILE[name])
    for gold in ("5", "x+1", "1,2,3", r"\sqrt{2}+1"):
        started = time.thread_time()
        verdict = VERIFIER.verify_answer(gold, text)
        assert time.thread_time() - started < 0.5
        assert verdict.correct is False


def test_hostile_golds_are_no_trap_either() -> None:
    for text in HOSTILE.values():
        started = time.thread_time()
        VERIFIER.verify_answer(text, text + "+1")
        assert time.thread_time() - started < 0.5


def test_honest_answers_are_graded_beside_hostile_ones() -> None:
    verifier = MathVerifier(worker=False)

    def work(text: str) -> tuple[float, Verdict]:
        started = time.thread_time()
        verifier.verify_answer("5", text)
        return time.thread_time() - started, verifier.verify_answer(r"2\sqrt{2}", r"\sqrt{8}")

    with ThreadPoolExecutor(64) as pool:
        results = list(pool.map(work, [rf"\boxed{{{t}}}" for t in HOSTILE.values()] * 3))
    assert all(verdict.correct for _, verdict in results)
    assert max(seconds for seconds, _ in results) < 0.5


@settings(max_examples=200, deadline=2000)
@given(st.text(max_size=200))
def test_any_text_gets_a_verdict(text: str) -> None:
    for gold in ("5", text):
        assert isinstance(VERIFIER.verify_answer(gold, text), Verdict)
