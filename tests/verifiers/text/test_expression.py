import ast
import contextlib
import operator
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import ConfigError
from assay.verifiers import make_verifier, verify_text
from assay.verifiers.text.arithmetic import evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1+2*3", 7),
        ("(1+2)*3", 9),
        ("8/3/2", Fraction(4, 3)),
        ("10-4-3", 3),
        ("-2^2", -4),
        ("2^-1", Fraction(1, 2)),
        ("2^3^2", 512),
        ("2**3", 8),
        ("6 × 7 ÷ 2", 21),
        (r"6 \times 7 \div 2 \cdot 1", 21),
        ("--3", 3),
        ("0.1+0.2", Fraction(3, 10)),
        ("(-1)^100000000000000000000", 1),
        ("0^5", 0),
        ("1^" + "9" * 1000, 1),
    ],
)
def test_exact_values(text, value):
    assert evaluate(text).value == value


@pytest.mark.parametrize(
    "text",
    ["", "1+", "(1", "1)", "()", "2(3)", "1 2", "1/0", "1/(2-2)", "0^-1", "2^0.5", "abc", "__import__('os')", "1;2",
     "9^9^9^9", "9^99999", "(9^999)^999", "1" * 3000, "(" * 100 + "1" + ")" * 100, "2^" * 100 + "1", "1e5", "1,000"],
)  # fmt: skip
def test_refused(text):
    with pytest.raises(ValueError):
        evaluate(text)


_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def python_value(text):
    """An independent evaluator: Python's own grammar over fractions."""

    def walk(node):
        if isinstance(node, ast.BinOp):
            return _OPERATORS[type(node.op)](walk(node.left), walk(node.right))
        if isinstance(node, ast.UnaryOp):
            return -walk(node.operand) if isinstance(node.op, ast.USub) else walk(node.operand)
        return Fraction(node.value)

    return walk(ast.parse(text, mode="eval").body)


expressions = st.recursive(
    st.integers(0, 99).map(str),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(" ".join),
        inner.map(lambda e: f"({e})"),
        inner.map(lambda e: f"-({e})"),
    ),
    max_leaves=12,
)


@given(expressions)
def test_agrees_with_python(text):
    try:
        expected = python_value(text)
    except ZeroDivisionError:
        with pytest.raises(ValueError, match="division by zero"):
            evaluate(text)
    else:
        assert evaluate(text).value == expected


@given(st.text(st.sampled_from("0123456789+-*/^(). =×÷"), max_size=200))
def test_any_text_is_a_value_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        evaluate(text)


def test_towers_cost_nothing():
    started = time.thread_time()
    for text in ("9^9^9^9^9", "((9^99)^99)^99", "*".join(["9^999"] * 300), "/".join(["99"] * 660)):
        with pytest.raises(ValueError):
            evaluate(text)
    assert time.thread_time() - started < 0.5


def countdown(response, target=24, numbers=(4, 6, 1, 2), use="at_most_once"):
    return verify_text(make_verifier("expression", use=use), target, response, metadata={"numbers": list(numbers)})


def test_countdown_rules():
    assert countdown("<answer>4*6</answer>").correct
    assert countdown("<answer>4*6*1</answer>").correct
    assert countdown("<answer>4*6 = 24</answer>").correct
    assert not countdown("<answer>24</answer>").correct
    assert not countdown("<answer>2*2*6</answer>").correct, "2 is there once"
    assert not countdown("<answer>4*6*1^2</answer>").correct, "powers are not allowed"
    assert not countdown("<answer>3+5 = 8*3 = 24</answer>", numbers=(3, 5, 3)).correct, "a false chain"
    assert not countdown("<answer>4*6</answer>", use="exactly_once").correct
    assert countdown("<answer>4*6*(2-1)</answer>", use="exactly_once").correct
    assert countdown("").status == "no_answer"
    assert countdown("four times six").status == "unparsable"
    assert "does not use 1" in countdown("4*6/2", target=12, use="exactly_once").reason


def test_gold_must_be_readable():
    for metadata in ({}, {"numbers": []}, {"numbers": ["x"]}):
        verdict = verify_text(make_verifier("expression", use="at_most_once"), 24, "4*6", metadata=metadata)
        assert verdict.score is None
    assert verify_text(make_verifier("expression"), "abc", "4*6").score is None
    with pytest.raises(ConfigError):
        make_verifier("expression", use="twice")
    with pytest.raises(ConfigError):
        make_verifier("expression", operators="%")
