from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.verifiers.puzzles.expression import MAX_LENGTH, ExpressionError, count_operations, evaluate, tokenize

expressions = st.recursive(
    st.integers(0, 99).map(str),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map("".join),
        inner.map(lambda e: f"({e})"),
        inner.map(lambda e: f"(-{e})"),
    ),
    max_leaves=12,
)


def value(text, **options):
    return evaluate(tokenize(text), **options)


@given(expressions)
def test_agrees_with_python_on_exact_fractions(text):
    import re

    if len(text) > MAX_LENGTH:
        return
    try:
        expected = eval(re.sub(r"\d+", r"Fraction(\g<0>)", text))
    except ZeroDivisionError:
        with pytest.raises(ExpressionError, match="zero"):
            value(text)
    else:
        assert value(text) == expected


@given(st.text(alphabet="0123456789+-*/() .^e_x", max_size=60))
def test_any_text_gives_a_fraction_or_a_clear_error(text):
    try:
        assert isinstance(value(text), Fraction)
    except ExpressionError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("7*4", 28), ("-13+5", -8), ("2*-3", -6), ("1/3+1/6", Fraction(1, 2)), ("8÷2×3−1", 11), ("-3*-4", 12)],
)
def test_values(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "(",
        ")",
        "()",
        "2 3",
        "2+",
        "*2",
        "2**3",
        "2(3)",
        "(2",
        "2)",
        "1/0",
        "x",
        "2.5",
        "1e9",
        "__import__('os')",
        "(" * 300,
        "-" * 400,
    ],
)
def test_what_is_no_expression(text):
    with pytest.raises(ExpressionError):
        value(text)


def test_deep_and_long_input_is_refused_or_computed_never_a_crash():
    assert value("(" * 190 + "7" + ")" * 190) == 7
    with pytest.raises(ExpressionError, match="longer"):
        value("1+" * 400 + "1")


def test_signs_can_be_refused():
    with pytest.raises(ExpressionError):
        value("-3+10", signs=False)
    assert value("10-3", signs=False) == 7


def test_counting_operations():
    assert [count_operations(tokenize(t)) for t in ("7", "-7*4", "(1+2)*3")] == [0, 1, 2]
