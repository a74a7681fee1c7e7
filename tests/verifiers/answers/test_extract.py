"""Extraction: which text is the answer, and when there is none."""

from __future__ import annotations

import pytest

from assay.verifiers.answers.extract import extract


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (r"So we get $\boxed{\frac{1}{2}}$.", r"\frac{1}{2}"),
        (r"\boxed{\text{a } \} b}", r"\text{a } \} b"),
        (r"First \boxed{7}. <think>\boxed{1}</think> Hence \boxed{2}.", "2"),
        (r"\boxed{1} and \boxed{-2}", "1, -2"),
        (r"\boxed{3} apples and \boxed{4} pears", "3, 4"),
        ("We add them up.\n#### 42", "42"),
        ("We add them up.\n####42", "42"),
        ("#### 42 apples\nIs that fine?", "42 apples"),
        ("#### Step 1: Add\n40 + 2\n\nThe answer is 42.", "42"),
        ("#### 1. Add\n40 + 2\n#### Final Answer\n42", "42"),
        ("#### **Final Answer**\n\n$$42$$\nDone.", "$$42$$"),
        ("In short\n#### Monday", "Monday"),
        (r"so \boxed 42 apples", "42"),
        (r"so $\boxed\frac{1}{2}$", r"\frac{1}{2}"),
        ("<answer>17</answer>", "17"),
        ("Long story. The final answer is $x+1$. I hope it is correct.", "$x+1$"),
        ("x^2 + 1", "x^2 + 1"),
    ],
)
def test_the_answer_is_found(response: str, answer: str) -> None:
    assert extract(response).answer == answer


@pytest.mark.parametrize("response", ["", "   ", r"\boxed{12", r"\boxed{}", r"<think> \boxed{5}", "word " * 400])
def test_no_answer(response: str) -> None:
    assert extract(response).answer is None


def test_an_earlier_different_box_is_reported() -> None:
    found = extract(r"\boxed{4}. Wait, that is not right, it is \boxed{5}.")
    assert found.answer == "5"
    assert found.others == ("4",)


def test_unmarked_answers_can_be_refused() -> None:
    assert extract("so it is 5", unmarked=False).answer is None


@pytest.mark.parametrize(
    "response",
    [
        "The answer is 5. The answer is 6.",
        "<answer>5</answer> <answer>6</answer>",
        "<think>a</think> <answer>5</answer> <think>b</think> <answer>6</answer>",
        "<think>a</think> $\\boxed{5}$ <think>b</think> $\\boxed{6}$",
        "Answer: 5. Answer: 6",
        "Final answer: $5$. Then again, the final answer is $6$.",
    ],
)
def test_an_earlier_answer_of_any_kind_is_reported(response: str) -> None:
    found = extract(response)
    assert (found.answer or "").strip("$.") == "6"
    assert [other.strip("$.") for other in found.others] == ["5"]


@pytest.mark.parametrize(
    "response",
    [
        "<answer>5</answer> But it could also be 6, I am not sure.",
        r"\boxed{5}, or perhaps 6, who knows",
        "The answer is $5$. But it might also be $6$.",
        "Answer: 5, I am really not sure",
        "it is 5, but it could also be 6",
    ],
)
def test_an_answer_that_is_taken_back_is_none(response: str) -> None:
    assert extract(response).answer is None


def test_two_markers_of_one_answer_are_one() -> None:
    found = extract("Final Answer: The final answer is $5$. I hope it is correct.")
    assert (found.answer, found.others) == ("$5$", ())


def test_what_a_reader_would_not_see_is_no_answer() -> None:
    assert extract("41\n<span style='display:none'>42</span>").answer == "41"
    assert extract("<!-- 42 --> 41").answer == "41"


@pytest.mark.parametrize("response", ["Answer $ \n 9 \n $", "Answer \\( \n 9 \n \\)"])
def test_an_inline_formula_does_not_span_lines(response: str) -> None:
    assert extract(response).answer is None
    assert extract(response.replace("$", "$$").replace("\\(", "\\[").replace("\\)", "\\]")).answer is not None
