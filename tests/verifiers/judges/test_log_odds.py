import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.verifiers.judges.log_odds import probability, read_log_odds


def odds(minimum_mass=0.5, **shares):
    pairs = [(token, math.log(share)) for token, share in shares.items()]
    return read_log_odds(sorted(pairs, key=lambda pair: -pair[1]), minimum_mass=minimum_mass)


def test_the_example_of_the_paper():
    assert odds(Yes=0.8, No=0.2) == pytest.approx(1.3863, abs=5e-5)
    assert probability(odds(Yes=0.8, No=0.2)) == pytest.approx(0.8)


def test_spellings_count_together():
    pairs = [("Yes", 0.3), (" yes", 0.2), ("YES.", 0.1), ("no", 0.15), ("▁No", 0.15), ("yesterday", 0.1)]
    assert read_log_odds([(token, math.log(p)) for token, p in pairs]) == pytest.approx(math.log(0.6 / 0.3))


def test_an_answer_that_is_not_listed_is_bounded_by_what_is_left():
    assert odds(yes=0.9, maybe=0.08) == pytest.approx(math.log(0.9 / 0.02)), "the rest is smaller than the last one"
    assert odds(no=0.6, maybe=0.1) == pytest.approx(math.log(0.1 / 0.6)), "the last one is smaller than the rest"


@pytest.mark.parametrize("shares", [{"maybe": 1.0}, {"yes": 0.2, "no": 0.2, "maybe": 0.6}, {}])
def test_a_model_that_says_something_else_has_not_answered(shares):
    with pytest.raises(ValueError, match="together"):
        odds(**shares)
    with pytest.raises(ValueError):
        odds(0.0, **{name: share for name, share in shares.items() if name == "maybe"})


@pytest.mark.parametrize("value", [math.nan, 1.0, math.inf])
def test_what_is_no_probability_is_refused(value):
    with pytest.raises(ValueError, match="no probability"):
        read_log_odds([("yes", value)])


@given(st.lists(st.tuples(st.sampled_from(["yes", "No", "maybe", "", "\x00"]), st.floats(max_value=0.0)), max_size=20))
def test_whatever_is_listed_the_odds_are_finite_or_refused(pairs):
    try:
        value = read_log_odds(pairs, minimum_mass=0.0)
    except ValueError:
        return
    assert math.isfinite(value) and 0 <= probability(value) <= 1


@given(st.floats(0.01, 0.98), st.floats(0.0, 1.0))
def test_swapping_the_answers_flips_the_sign(yes, part):
    no = (1 - yes) * part * 0.99
    if no > 1e-6:
        assert odds(0.0, yes=yes, no=no) == pytest.approx(-odds(0.0, yes=no, no=yes), abs=1e-9)
