import time

from hypothesis import given
from hypothesis import strategies as st

from assay.verifiers.text.extract import after_reasoning, find_answers


def test_the_strongest_form_wins():
    assert find_answers(r"Answer: 1 \boxed{2} <answer>3</answer>") == ("3",)
    assert find_answers(r"Answer: 1 \boxed{2}") == ("2",)
    assert find_answers("Answer: 1\nso Answer: **2**.") == ("2",)
    assert find_answers("#### 18") == ("18",)
    assert find_answers("  42 ") == ("42",)


def test_boxes_nest_and_must_close():
    assert find_answers(r"\boxed{\frac{1}{2}}") == (r"\frac{1}{2}",)
    assert find_answers(r"\boxed{a \boxed{b}}") == (r"a \boxed{b}",)
    assert find_answers(r"\boxed{1} then \boxed{2") == ("1",)
    assert find_answers(r"\boxed{1} and \boxed{1} and \boxed{2}") == ("1", "2")
    assert find_answers(r"\boxed{}", "boxed") == ()


def test_only_what_follows_the_reasoning_counts():
    assert find_answers("<think><answer>1</answer></think><answer>2</answer>") == ("2",)
    assert find_answers("<think>I am not done <answer>1</answer>") == ()
    assert after_reasoning("no reasoning") == "no reasoning"


def test_explicit_sources_find_nothing_elsewhere():
    assert find_answers("42", "tag") == find_answers("42", "boxed") == find_answers("42", "stated") == ()
    assert find_answers("<out>7</out>", "tag", tag="out") == ("7",)


def test_empty_answers_are_no_answers():
    for text in ("", " \n", "<answer> </answer>", "<answer></answer>", "Answer:"):
        assert "" not in find_answers(text)
    assert find_answers("<answer> </answer>", "tag") == ()


@given(st.text(st.sampled_from("<>/answer think{}\\boxed: \n$*.1")))
def test_any_text_gives_non_empty_answers(text):
    assert all(answer.strip() for answer in find_answers(text))


def test_linear_time_on_hostile_text():
    started = time.thread_time()
    for piece in (
        r"\boxed{",
        "<answer>",
        "</answer>",
        "answer is ",
        "{",
        r"\boxed{1}",
        "**",
        "<think>",
        " " * 50 + "\n",
    ):
        find_answers(piece * (400_000 // len(piece)))
    assert time.thread_time() - started < 5.0
