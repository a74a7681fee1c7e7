"""The grammar: shapes of nodes, complete consumption, and limits."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.verifiers.answers.lexer import AnswerSyntaxError
from assay.verifiers.answers.nodes import (
    Based,
    Big,
    Builder,
    Call,
    Const,
    Group,
    Listing,
    Matrix,
    Node,
    Num,
    Quantity,
    Ratio,
    Relation,
    SetOf,
    SetOperation,
    Sym,
    Text,
    number,
)
from assay.verifiers.answers.normalise import MAX_ANSWER, clean
from assay.verifiers.answers.parser import parse


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("3/4", Num),
        ("x_1", Sym),
        ("(1, 2]", Group),
        (r"\{1, 2\}", SetOf),
        ("{1,2}", SetOf),
        ("1, 2 and 3", Listing),
        ("x = 3", Relation),
        ("1 < x < 2", Relation),
        (r"\{x \mid x > 1\}", Builder),
        (r"(0,1) \cup (2,3)", SetOperation),
        ("1:2", Ratio),
        ("5 cm", Quantity),
        (r"7\text{ red apples}", Quantity),
        (r"\$12.50", Quantity),
        ("101_2", Based),
        (r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}", Matrix),
        ("no solution", Text),
        (r"90^\circ", Call),
        (r"\infty", Const),
        (r"\sum_{k=1}^{n} k", Big),
    ],
)
def test_kinds_of_answers(text: str, kind: type[Node]) -> None:
    assert isinstance(parse(clean(text)), kind)


def test_numbers_are_exact() -> None:
    assert parse(clean("0.1")) == Num(Fraction(1, 10))
    assert parse(clean(r"0.\overline{3}")) == Num(Fraction(1, 3))
    assert parse(clean("1 4/5")) == parse(clean(r"1\frac{4}{5}"))
    assert parse(clean(r"\frac12")) == number(Fraction(1, 2))


def test_a_function_is_applied_where_a_product_is_multiplied() -> None:
    assert parse("f(x)") == Call("f", (Sym("x"),))
    assert parse("x(y)") != Call("x", (Sym("y"),))
    definition = parse("p(x) = 2x")
    assert isinstance(definition, Relation)
    assert definition.operands[0] == Call("p", (Sym("x"),))


@pytest.mark.parametrize(
    "text",
    [
        "1 2",
        "5 (",
        ")",
        "x +",
        r"\frac{1}",
        "3 x ?",
        "1..2",
        "x2",
        r"\unknown{3}",
        "{",
        "a = = b",
        "5 \x01 6",
        "#5",
    ],
)
def test_a_text_that_is_read_in_part_is_not_read(text: str) -> None:
    with pytest.raises(AnswerSyntaxError):
        parse(clean(text))


@pytest.mark.parametrize("opener", ["(", "{", r"\sqrt{", r"\frac{1}{", "|", r"\text{", r"\sin(", "x_{", "2^{"])
def test_deep_nesting_is_refused(opener: str) -> None:
    with pytest.raises((AnswerSyntaxError, RecursionError)):
        parse(clean((opener * 400)[:MAX_ANSWER]))


_PIECES = st.sampled_from(
    [*"0123456789xyne+-*/^_=<>()[]{}|,;:.!%&' ", r"\frac", r"\sqrt", r"\pi", r"\pm", r"\cup", r"\text{and}", r"\{",
     r"\}", r"\left(", r"\right]", r"\sin", r"\log", r"\sum", r"\int", r"\infty", r"\circ", r"\\", r"\begin{pmatrix}",
     r"\end{pmatrix}", "cm", " or ", r"\in", r"\ldots", "√", "½", "²", "$"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(_PIECES, max_size=30).map("".join))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    cleaned = clean(text)
    try:
        node = parse(cleaned)
    except AnswerSyntaxError:
        return
    assert isinstance(node, Node)
    hash(node)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_cleaning_is_stable(text: str) -> None:
    once = clean(text)
    assert clean(clean(once)) == clean(once)
