"""The rules say exactly what may differ."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.verifiers.code.compare import TEXT_RULES, same_text, same_value


@pytest.mark.parametrize(
    ("actual", "expected", "rules"),
    [
        ("a\nb\n", "a\nb\n", "exact lines tokens floats unordered"),
        ("a \nb\n\n", "a\nb", "lines tokens floats unordered"),
        ("a\r\nb", "a\nb", "lines tokens floats unordered"),
        ("a b", "a\nb", "tokens floats"),
        ("b\na", "a\nb", "unordered"),
        ("0.3333333", "0.33333333", "floats"),
        ("1.0", "1", "floats"),
        ("007", "7", "floats"),
        ("A", "a", ""),
        ("a", "a\nb", ""),
        ("a\nb\nc", "a\nb", ""),
        ("a b a", "a b", ""),
        ("0.0004", "0.0001", ""),
        ("50000000000000001", "50000000000000000", ""),
        ("1_0", "10", ""),
        ("١", "1", ""),
        ("", "0", ""),
    ],
)
def test_text(actual, expected, rules):
    assert {rule for rule in TEXT_RULES if same_text(actual.encode(), expected, rule)} == set(rules.split())


def test_not_a_number_is_never_right():
    for token in ("nan", "NaN", "inf", "-inf", "1e999"):
        assert not same_text(token.encode(), "1", "floats")
    assert not same_text(b"nan", "nan", "floats")
    assert not same_text(b"\xff", "\ufffd", "lines")


@pytest.mark.parametrize(
    ("actual", "expected", "same"),
    [
        ((1, 2), [1, 2], True),
        (1, 1.0, True),
        (1.0, 1, True),
        (True, 1, False),
        (1, True, False),
        (0.1 + 0.2, 0.3, True),
        (0.30001, 0.3, False),
        (math.nan, math.nan, False),
        (math.inf, math.inf, True),
        (10**400, 1.0, False),
        ({1: "a"}, {1: "a"}, True),
        ({1: "a"}, {True: "a"}, False),
        ({1, 2}, {2, 1}, True),
        ([1], {1}, False),
        ("1", 1, False),
        (None, False, False),
        ([[1.0000000001]], [(1.0,)], True),
        (b"x", "x", False),
    ],
)
def test_values(actual, expected, same):
    assert same_value(actual, expected) is same


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@given(plain)
def test_a_value_equals_itself(value):
    assert same_value(value, value)


@given(st.text(), st.text(), st.sampled_from(TEXT_RULES))
def test_text_rules_never_fail_and_are_symmetric(a, b, rule):
    left = same_text(a.encode("utf-8", "surrogatepass"), b, rule)
    if rule in ("exact", "lines", "tokens", "unordered") and "\ud800" <= max(a + b, default="") <= "\udfff":
        return
    right = same_text(b.encode("utf-8", "surrogatepass"), a, rule)
    assert rule == "floats" or left == right


def test_other_rules():
    assert same_value(1, True, "python")
    assert not same_value(1, True, "is")
    assert same_value([0], None, "truthy")
    assert same_value([], None, "falsy")
    assert same_value(0.50001, 0.5, "close", 1e-4)
    assert not same_value("0.5", 0.5, "close", 1e-4)
