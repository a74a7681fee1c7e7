import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.verifiers import make_verifier, verify_text


def correct(target, response, **options):
    return verify_text(make_verifier("exact", **options), target, response).correct


def test_meaning_is_kept_by_default():
    assert correct("Paris", "The answer is Paris.")
    assert correct("Paris", "<answer> Paris </answer>")
    assert correct("café", "cafe\u0301")  # composition only
    assert not correct("x2", "x²")  # NFKC would say yes
    assert not correct("Paris", "paris")
    assert not correct("Paris", "Paris, France")
    assert not correct("", "")


def test_options():
    assert correct("The Hague", "hague", ignore_case=True, ignore_articles=True)
    assert correct("well-known", "well known", ignore_punctuation=True)
    assert not correct("3.5", "35", ignore_punctuation=True)
    assert not correct("-5", "5", ignore_punctuation=True)
    assert correct(["UK", "United Kingdom"], "United Kingdom")
    assert correct("`ls`", "`ls`")


def test_gold_that_normalises_to_nothing_is_no_verdict():
    verdict = verify_text(make_verifier("exact", ignore_punctuation=True), "...", "!!!")
    assert verdict.score is None and verdict.status == "unparsable"
    for target in (None, "", [], True, {"a": 1}, ["a", ""]):
        assert verify_text(make_verifier("exact"), target, "a").score is None


def test_different_final_answers_are_wrong():
    verdict = verify_text(make_verifier("exact"), "A", "<answer>B</answer><answer>A</answer>")
    assert verdict.correct is False and "different" in verdict.reason


def test_unknown_source_is_refused():
    with pytest.raises(Exception, match="unknown answer source 'tags'"):
        make_verifier("exact", source="tags")


@given(st.text(max_size=60), st.text(max_size=60))
def test_verdict_follows_equality_only(target, response):
    verdict = verify_text(make_verifier("exact", source="whole"), target, response)
    if verdict.correct:
        assert target.strip() and response.strip()
    elif verdict.scored and "<think>" not in response and "</think>" not in response:
        assert target != response or not response.strip()
