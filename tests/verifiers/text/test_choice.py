import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.verifiers import make_verifier, verify_text

CITIES = {"choices": ["Paris", "London", "Rome", "Berlin"]}


def judge(response, target, metadata=None, **options):
    return verify_text(make_verifier("choice", **options), target, response, metadata=metadata)


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("B", "B"),
        ("b", "B"),
        ("(b)", "B"),
        ("B.", "B"),
        ("B)", "B"),
        ("B: because it is", "B"),
        ("**Answer: B**", "B"),
        ("The answer is **B** because of this", "B"),
        (r"\boxed{\text{B}}", "B"),
        (r"\boxed{B}", "B"),
        ("<answer>B</answer>", "B"),
        ("The answer is: **B**", "B"),
        ("The correct answer is (B).", "B"),
        ("Option B is correct.", "B"),
        ("I choose B", "B"),
        ("The answer is B because A is wrong.", "B"),
        ("The answer is B, not A", "B"),
        ("Answer: A\nNo, wait.\nAnswer: B", "B"),
        ("The correct answer is B. It is not A.", "B"),
        ("A looks right at first, but it is not.\n\nSo the answer is B", "B"),
    ],
)
def test_stated_choice_is_read(response, letter):
    assert judge(response, letter).correct, judge(response, letter)


@pytest.mark.parametrize(
    "response",
    [
        "",
        "A or B",
        "A/B",
        "A, B",
        "The answer is A or B",
        "either A or maybe B",
        "A B C D",
        "The answer is A and B",
        "<answer>A</answer><answer>B</answer>",
        "The answer is not A",
        "It can't be A",
        "A is wrong",
        "The answer is a dog",
        "<think>The answer is A",
        "An apple a day",
        "AAAA",
        r"\mathrm{A}*2",
        "A = 2",
        "A+1",
    ],
)
def test_hedges_and_ruled_out_options_are_wrong(response):
    verdict = judge(response, "A")
    assert verdict.score == 0.0 and verdict.correct is False


def test_text_of_the_options():
    assert judge("London", "B", CITIES).correct
    assert judge("The answer is London.", "B", CITIES).correct
    assert judge("B. London", "B", CITIES).correct
    assert judge("The answer is B London", "B", CITIES).correct
    assert judge("B", "London", CITIES).correct
    assert not judge("B. Paris", "B", CITIES).correct, "letter and text contradict each other"
    assert not judge("Paris or London", "A", CITIES).correct
    assert not judge("A. Paris, B. London", "A", CITIES).correct
    assert not judge("E", "A", CITIES).correct


def test_targets():
    assert judge("C", 2, CITIES, target_is_index=True).correct
    assert judge("A, C", ["A", "C"]).correct
    assert not judge("A", ["A", "C"]).correct
    assert not judge("A, B, C", ["A", "C"]).correct
    for bad in ("Z", "", None, 7, "E"):
        assert judge("A", bad, CITIES).score is None
    assert make_verifier("choice").check_target.__self__.name == "choice"


def test_two_empty_extractions_never_match():
    # The option extractor of a published reward gave '' for both sides and called them equal.
    assert judge("7", "42").score is None
    assert judge("no letters here", "A").score == 0.0


@given(st.text(st.sampled_from("ABCD ()[].,:orntabe'\n*\\{}"), max_size=80))
def test_never_two_letters_at_once(text):
    accepted = [letter for letter in "ABCD" if judge(text, letter).correct]
    assert len(accepted) <= 1


@pytest.mark.parametrize(
    "response",
    [
        r"\neq B",
        r"\boxed{\neq B}",
        r"The answer is $\ne B$",
        "≠ B",
        "!= B",
        r"B \text{ is too small}",
        "The answer is B is too small",
        "B is wrong",
        "The answer is B. But it could also be A.",
        "The answer is B. Or maybe A",
        "Answer: B\nAlternatively, A",
        "The answer is B. On second thought, C.",
    ],
)
def test_a_choice_that_is_denied_commented_on_or_hedged_is_not_stated(response):
    assert judge(response, "B").correct is False


@pytest.mark.parametrize(
    "response",
    ["B is correct", "B is the answer", "The answer is B. It could be shown by induction.", "B is clearly right"],
)
def test_what_supports_a_choice_leaves_it_stated(response):
    assert judge(response, "B").correct


def test_a_choice_may_repeat_the_text_of_its_option():
    assert judge("B is London", "B", CITIES).correct
    assert judge("B is Paris", "B", CITIES).correct is False
