import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import ConfigError
from assay.verifiers import make_verifier, verify_text
from assay.verifiers.text.rational import read_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42),
        ("-3", -3),
        ("−3", -3),
        ("+3", 3),
        ("1,234,567.5", Fraction(2469135, 2)),
        ("1\u202f234", 1234),
        ("$5", 5),
        ("€ 5.50", Fraction(11, 2)),
        (".5", Fraction(1, 2)),
        ("5.", 5),
        ("0.1", Fraction(1, 10)),
        ("3/4", Fraction(3, 4)),
        ("-3/4", Fraction(-3, 4)),
        ("1 3/4", Fraction(7, 4)),
        ("-1 3/4", Fraction(-7, 4)),
        (r"\frac{3}{4}", Fraction(3, 4)),
        (r"1\frac{3}{4}", Fraction(7, 4)),
        (r"-\dfrac{3}{4}", Fraction(-3, 4)),
        ("1.5e3", 1500),
        ("1E-3", Fraction(1, 1000)),
        ("1.5 × 10^3", 1500),
        (r"1.5 \times 10^{-3}", Fraction(3, 2000)),
        ("10^3", 1000),
        ("x = 5", 5),
    ],
)
def test_reads_exact_values(text, value):
    assert read_number(text).value == value


@pytest.mark.parametrize(
    "text",
    [
        "", "abc", "1 2", "1,23", "12,34", "1,2345", "3m", "3x", "40 \\text{choc}, 60", "1/0", "nan", "inf", "NaN",
        "--3", "5 or 6", "1e", "1.2.3", "0x10", "1_000", "Infinity", "5!", "2^10^10", "1e999999999", "10^{99999}",
        "1" * 5000, "0." + "0" * 3000 + "1", "1e" + "9" * 50,
    ],
)  # fmt: skip
def test_refuses_everything_else(text):
    with pytest.raises(ValueError):
        read_number(text)


def correct(target, response, **options):
    return verify_text(make_verifier("number", **options), target, response).correct


def test_exact_by_default():
    assert correct("0.1", "1/10")
    assert not correct("0.3333", "1/3")
    assert not correct(3.5, "35")
    assert correct("18", "#### 18")
    assert correct(1234, "The answer is $1,234.00.")
    assert correct("1/2", r"\boxed{0.5} or \boxed{\frac{1}{2}}"), "two spellings of one value"
    assert not correct("1/2", r"\boxed{0.5} \boxed{0.6}")


def test_tolerances_are_exact_too():
    assert correct("100", "101", rel_tol=0.01)
    assert not correct("100", "101.0000000001", rel_tol=0.01)
    assert correct("0", "0.1", abs_tol=0.1)
    assert not correct("0", "0.1", rel_tol=0.5)
    for bad in (-1, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="rel_tol"):
            make_verifier("number", rel_tol=bad)


def test_percent_rules():
    assert correct("0.5", "50%") and not correct("50", "50%")
    assert correct("50", "50%", percent="ignore") and not correct("0.5", "50%", percent="ignore")
    assert not correct("0.5", "50%", percent="same") and correct("50%", "50.0 %", percent="same")


def test_units_only_when_asked():
    assert not correct("3", "3 apples") and correct("3", "3 apples", ignore_unit=True)
    assert not correct("5", "5 or 6 apples", ignore_unit=True)
    assert not correct("5", "not 5 apples", ignore_unit=True)


def test_last_number_only_when_asked():
    text = "First 3, then 1,204 (not 3.5x). So 18 eggs."
    assert not correct("18", text) and correct("18", text, last_number=True)
    assert correct("3", "a 3 b 3.5x", last_number=True)
    assert correct("5", "10-5", last_number=True)


@pytest.mark.parametrize("target", [None, True, float("nan"), float("inf"), "abc", "", [], "1e999999"])
def test_unreadable_gold_is_no_verdict(target):
    verdict = verify_text(make_verifier("number"), target, str(target))
    assert verdict.score is None and verdict.status == "unparsable"


@given(st.fractions(max_denominator=10**6), st.fractions(max_denominator=10**6))
def test_equal_exactly_when_the_fractions_are(a, b):
    assert correct(str(a), str(a)) is True
    assert correct(str(a), f"the answer is {b}") is (a == b)


@given(st.integers(-(10**15), 10**15), st.integers(0, 4))
def test_spellings_of_one_decimal(units, places):
    value = Fraction(units, 10**places)
    text = f"{abs(units) // 10**places:,}.{abs(units) % 10**places:0{places}d}" if places else f"{abs(units):,}"
    assert read_number(("-" if units < 0 else "") + text).value == value


@given(st.text())
def test_any_text(text):
    assert verify_text(make_verifier("number"), "1", text).scored
    assert verify_text(make_verifier("number", ignore_unit=True, last_number=True), "1", text).scored


def test_hostile_input_costs_nothing():
    verifiers = [
        make_verifier("number"),
        make_verifier("number", ignore_unit=True),
        make_verifier("number", last_number=True),
    ]
    started = time.thread_time()
    for piece in ("9", " ", "1 ", "1,000", "-", "1/", "1e9", "10^", "a", "{", "9x", "1.5e3 "):
        for verifier in verifiers:
            assert not verify_text(verifier, "7", "Answer: " + piece * 20_000).correct
    assert time.thread_time() - started < 5.0
