import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import ConfigError
from assay.verifiers import make_verifier, verify_text

GOOD = "<think>\n1 < 2\n</think>\n<answer>7</answer>"


def correct(response, **options):
    return verify_text(make_verifier("format", **(options or {"tags": ["think", "answer"]})), None, response).correct


def test_tags_hold_the_whole_response():
    assert correct(GOOD)
    assert correct(" " + GOOD + "\n")
    # A published reward with `$` and MULTILINE accepts text behind the end, and refuses a `<` inside.
    assert not correct(GOOD + "\nmore stuff")
    assert not correct("hi " + GOOD)
    assert not correct("<think>a</think> and <answer>7</answer>")
    assert not correct("<answer>7</answer><think>a</think>")
    assert not correct("<think>a</think><answer> </answer>")
    assert not correct("<think>a<answer>7</answer></think>")
    assert not correct("<think>a</think><answer>7</answer><answer>8</answer>")
    assert not correct("</think>a<think><answer>7</answer>")
    assert not correct("")


def test_patterns_match_as_a_whole():
    assert correct("yes", pattern="yes|no")
    assert not correct("yes\nand more", pattern="yes|no")
    assert not correct("nothing ..., yes", pattern="yes|no")
    assert correct("a\nb", pattern="a.b") and not correct("a\nb", pattern="a.b", dotall=False)


def test_options_are_checked():
    for options in ({}, {"tags": ["a"], "pattern": "b"}, {"pattern": "("}, {"tags": "think"}, {"tags": ["a b"]}):
        with pytest.raises(ConfigError):
            make_verifier("format", **options)


@given(st.text(st.sampled_from("<>/thinkanswer x\n"), max_size=80), st.text(min_size=1, max_size=20))
def test_extra_text_always_breaks_it(text, extra):
    assert correct(text) in (True, False)
    assert correct(GOOD + extra) is (not extra.strip())
