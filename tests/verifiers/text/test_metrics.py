"""Length, repetition and overlap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import ConfigError
from assay.verifiers import make_verifier, verify_text
from assay.verifiers.text.overlap import token_f1, tokenize
from assay.verifiers.text.repetition import distinct_share


def test_length_limits_and_margin():
    verifier = make_verifier("length", maximum=4, margin=4)
    scores = [verify_text(verifier, None, "w " * n).score for n in (0, 1, 4, 5, 6, 8, 20)]
    assert scores == [0.0, 1.0, 1.0, 0.75, 0.5, 0.0, 0.0]
    assert verify_text(verifier, None, "").status == "no_answer"
    assert verify_text(make_verifier("length", minimum=3), None, "a b").correct is False
    counts = {"sentences": 3, "paragraphs": 2, "lines": 2, "characters": 25, "words": 4}
    for unit, n in counts.items():
        verdict = verify_text(
            make_verifier("length", unit=unit, maximum=n, minimum=n), None, "One two.\n\nThree... four!!"
        )
        assert verdict.correct, (unit, verdict.extracted)
    for bad in ({"maximum": 0}, {"unit": "pages"}, {"minimum": 5, "maximum": 4}, {"margin": -1}):
        with pytest.raises(ConfigError):
            make_verifier("length", **bad)


def test_repetition():
    assert distinct_share(["a", "b", "a", "b", "a", "b"], 2) == pytest.approx(2 / 5)
    assert distinct_share(["a", "b", "c"], 20) == 1.0
    assert verify_text(make_verifier("repetition", n=3), None, "so it is " * 50).score < 0.05
    assert verify_text(make_verifier("repetition"), None, "").score == 0.0
    assert verify_text(make_verifier("repetition", n=2, characters=True), None, "好好好好").correct is False


def test_f1_keeps_numbers_whole():
    def f1(target, response):
        return verify_text(make_verifier("f1"), target, response)

    # The usual normalisation deletes punctuation, and with it the decimal point.
    assert f1("3.5", "35").score == 0.0
    assert f1("1,000", "1000").correct and f1("3.50", "3.5").correct
    assert not f1("-5", "5").correct and not f1("50%", "50").correct
    assert f1("the Paris", "paris!").correct
    assert f1("A", "a").correct and not f1("A", "the").correct
    assert f1(["NYC", "New York City"], "new york city").correct
    partial = f1("New York City", "York")
    assert partial.score == pytest.approx(0.5) and partial.correct is False
    assert partial.parts == {"exact_match": 0.0, "f1": pytest.approx(0.5)}
    assert f1("北京", "京").score == pytest.approx(2 / 3)
    assert f1("!!!", "???").score is None
    assert f1("x", "???").status == "unparsable"


@given(st.text(max_size=80), st.text(max_size=80))
def test_f1_is_symmetric_and_bounded(a, b):
    score = token_f1(tokenize(a), tokenize(b))
    assert score == token_f1(tokenize(b), tokenize(a)) and 0.0 <= score <= 1.0
    assert verify_text(make_verifier("f1"), "gold", a).scored
