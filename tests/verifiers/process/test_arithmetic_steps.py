import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.verifiers import make_verifier, verify_text
from assay.verifiers.process.claims import find_claims


def claims(text, **options):
    return [(claim.left, claim.right, claim.true) for claim in find_claims(text, **options)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 + 4 = 7", [("3 + 4", "7", True)]),
        ("So 3+4=8 apples.", [("3+4", "8", False)]),
        ("Total: 5 - 3 = 2.", [("5 - 3", "2", True)]),
        ("2*3 = 6 = 12/2", [("2*3", "6", True), ("6", "12/2", True)]),
        ("$5 + $3 = $8", [("5 + 3", "8", True)]),
        ("1,000 + 1 = 1,001", [("1000 + 1", "1001", True)]),
        (r"3 \times 4 = 12", [("3 × 4", "12", True)]),
        ("**2+2=5**", [("2+2", "5", False)]),
        ("(1+2)*3 = 9, so done", [("(1+2)*3", "9", True)]),
        ("48/2 = <<48/2=24>>24 clips", [("48/2", "24", True)]),
        ("1. 2+2=4", [("2+2", "4", True)]),
        ("1) 2+2=5", [("2+2", "5", False)]),
        ("- 2 + 2 = 4", [("2 + 2", "4", True)]),
        ("(1) + (0) = 0", [("(1) + (0)", "0", False)]),
        ("(1) - 3 = -3", [("(1) - 3", "-3", False)]),
        ("- 2 + 6 = 4", [("- 2 + 6", "4", True)]),
        ("Step 2: 3 + 3 = 5", [("3 + 3", "5", False)]),
    ],
)
def test_claims_are_found_and_judged(text, expected):
    assert claims(text) == expected


@pytest.mark.parametrize(
    "text",
    ["x = 5", "2x = 4", "x + 3 = 7", "3 = 7x", "7 = x + 2", "a - 3 = 2", "y = 7 x", "50% = 0.5", "0.5 = 50%",
     "f(3) = 4", "3 apples + 4 apples = 7 apples", "n! = 24", "24 = 4!", "3 == 3", "a >= 3", "3 <= 4", "x_1 = 2", "",
     "=", "1 = ", "= 1", "10^9^9^9 = 4", "3 km + 2 = 5 m", "2 = 5 x", "log 8 / 3 = 1", "box 2 = 10", "3:4 = 6:8",
     "10/3 = 3.33...", "2 = 2 thousand", "half of 8 = 4", "is 2+2 = 5?", "1 1/2 = 1.5", "4 times 3 = 12"],
)  # fmt: skip
def test_algebra_is_not_called_false_arithmetic(text):
    assert not [claim for claim in claims(text) if not claim[2]]


def test_rounding_is_an_option():
    assert claims("10/3 = 3.33") == [("10/3", "3.33", False)]
    assert claims("10/3 = 3.33", rounding=True) == [("10/3", "3.33", True)]
    assert claims("10/3 = 3.34", rounding=True) == [("10/3", "3.34", False)]
    assert claims("10/3 = 3", rounding=True) == [("10/3", "3", False)]


def judge(text, **options):
    return verify_text(make_verifier("arithmetic_steps", **options), None, text)


def test_steps_carry_scores_and_spans():
    text = "First 2+2=4.\nNo numbers here.\nThen 4*3=13.\n"
    verdict = judge(text)
    assert [(text[s.start : s.end], s.score) for s in verdict.steps] == [
        ("First 2+2=4.\n", 1.0),
        ("Then 4*3=13.\n", 0.0),
    ]
    assert verdict.score == 0.0 and verdict.correct is False and verdict.reason == "4*3 = 13 is false"
    assert judge(text, aggregator="mean").score == 0.5
    assert judge("1+1=2\n2+2=4").correct is True


def test_nothing_to_check_is_no_verdict():
    assert judge("Just words.").status == "abstained"
    assert judge("").score == 0.0


@given(st.integers(-99, 99), st.sampled_from("+-*"), st.integers(-99, 99), st.integers(-3, 3))
def test_agrees_with_python(a, op, b, error):
    value = {"+": a + b, "-": a - b, "*": a * b}[op]
    assert judge(f"({a}) {op} ({b}) = {value + error}").correct is (error == 0)


@given(st.text(st.sampled_from("0123456789+-*/^(). =×÷x%$,\n\\"), max_size=120))
def test_any_text(text):
    verdict = judge(text)
    assert verdict.status in ("ok", "abstained", "no_answer")


@pytest.mark.skipif("ASSAY_DATA" not in os.environ, reason="needs the GSM8K rows: set ASSAY_DATA")
def test_hardly_any_gold_solution_of_gsm8k_is_called_false():
    path = Path(os.environ["ASSAY_DATA"]) / "gsm8k_train_1000.jsonl"
    answers = [json.loads(line)["answer"] for line in path.read_text(encoding="utf-8").splitlines()]
    verdicts = [judge(answer, rounding=True) for answer in answers]
    checked = [verdict for verdict in verdicts if verdict.scored]
    assert len(checked) > 0.9 * len(verdicts)
    assert sum(not verdict.correct for verdict in checked) < 0.02 * len(checked)
