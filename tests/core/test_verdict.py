import math

import pytest

from assay.core.verdict import Verdict, no_verdict, right, wrong


def test_right_wrong_and_unknown():
    assert (right().score, right().correct, right().scored) == (1.0, True, True)
    assert (wrong("x").score, wrong("x").correct, wrong("x").reason) == (0.0, False, "x")
    unknown = no_verdict("the worker died", status="timeout")
    assert (unknown.score, unknown.correct, unknown.scored, unknown.status) == (None, None, False, "timeout")
    assert no_verdict("?").status == "error"


def test_a_missing_answer_is_an_earned_zero():
    assert wrong(status="no_answer").scored
    assert wrong(status="unparsable").score == 0.0


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, True])
def test_a_score_is_a_finite_number(score):
    with pytest.raises(ValueError, match="finite"):
        Verdict(score=score)


def test_no_verdict_knows_nothing_and_says_why():
    with pytest.raises(ValueError, match="cannot say"):
        Verdict(score=None, correct=False, status="error")
    with pytest.raises(ValueError, match="status that says why"):
        Verdict(score=None)


def test_equality_ignores_the_time():
    assert right(seconds=1.0) == right(seconds=2.0)
    assert right().with_(reason="because").reason == "because"
    assert right(details={"a": 1}) == right()


def test_whether_an_answer_is_correct_is_yes_no_or_unknown():
    with pytest.raises(ValueError, match="correct must be True, False or None, not 'yes'"):
        Verdict(score=1.0, correct="yes")
