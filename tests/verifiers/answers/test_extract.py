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
