from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import assay
from assay.core.task import Task
from assay.envs.math.countdown import combine
from assay.verifiers.base import verify_text
from assay.verifiers.puzzles.countdown import CountdownVerifier
from assay.verifiers.puzzles.expression import evaluate, tokenize

VERIFIER = CountdownVerifier()


def judge(text, numbers=(3, 5, 5, 9), value=48):
    return verify_text(VERIFIER, "(3+5)*(9-5)", text, metadata={"numbers": numbers, "value": value})


@pytest.mark.parametrize(
    ("text", "score", "status"),
    [
        ("#(9-3)*(5+3)", 0, "ok"),  # 3 is given once
        ("#(9-5)*(3+5)+16", 0, "ok"),  # 16 is not given
        ("9-5=4;4*8=32;#(3+5)*(9-5)", 0, "ok"),  # 32
        ("#5*9+3", 1, "ok"),  # not all numbers are needed
        ("#9*5+3", 1, "ok"),
        ("try 3*9#5×9+3", 1, "ok"),
        ("#48", 0, "ok"),
        ("#5*9+3=48", 0, "unparsable"),
        ("#3--5*9", 0, "unparsable"),
        ("#5*9+3 or 1", 0, "unparsable"),
        ("#" + "(" * 300, 0, "unparsable"),
        ("#__import__('os').abort()", 0, "unparsable"),
        ("#5/(5-5)", 0, "ok"),
        ("5*9+3", 0, "no_answer"),
        ("", 0, "no_answer"),
    ],
)
def test_verdicts(text, score, status):
    verdict = judge(text)
    assert (verdict.score, verdict.status) == (score, status), verdict


def test_exact_fractions_count():
    assert judge("#8/(3-8/3)", numbers=(3, 3, 8, 8), value=24).correct
    assert judge("#5/(5-5)", numbers=(5, 5, 5), value=1).status == "unparsable"


@given(st.text(alphabet="#0123456789+-*/() ", max_size=80))
def test_any_text_gets_a_verdict(text):
    assert judge(text).score in (0.0, 1.0)


@given(st.lists(st.integers(1, 100), min_size=2, max_size=8), st.integers(0, 2**32))
def test_random_joins_are_what_they_say(numbers, seed):
    solution = combine(numbers, np.random.default_rng(seed))
    tokens = tokenize(solution.term.text)
    assert Counter(t for t in tokens if isinstance(t, int)) == Counter(numbers)
    assert evaluate(tokens) == solution.term.value > 0
    assert len(solution.steps) == len(numbers) - 1
    for step in solution.steps:
        left, _, right = step.partition("=")
        assert evaluate(tokenize(left)) == Fraction(right) > 0


def test_problems_are_solvable_and_keep_the_bounds():
    env = assay.make("assay/Countdown-v0", count=[3, 5], max_number=12, max_target=40).unwrapped
    tasks = list(env.tasks.head(200))
    assert {t.difficulty for t in tasks} == {3, 4, 5}
    for task in tasks:
        numbers, value = task.metadata["numbers"], task.metadata["value"]
        assert max(numbers) <= 12 and 0 < value <= 40 and value not in numbers
        assert verify_text(VERIFIER, task.target, f"#{task.target}", metadata=task.metadata).correct
        assert task.target not in task.prompt


def test_guesses_are_legal_and_mostly_wrong():
    env = assay.make("assay/Countdown-v0").unwrapped
    rng = np.random.default_rng(0)
    verdicts = []
    for task in env.tasks.head(200):
        env.reset(options={"task": task})
        verdicts.append(env.step(env.demonstrate(task, "guess", rng)[0])[4]["verdict"])
    assert {v.status for v in verdicts} == {"ok"}
    assert np.mean([v.score for v in verdicts]) < 0.2


def test_a_task_without_its_numbers_is_unreadable_gold():
    assert "numbers" in VERIFIER.check_target(Task("a", "p", target="1+1"))
