import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audits.mutators.exact import Exact, parse_exact, square_parts
from assay.audits.mutators.render import decimal, latex


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (r"\frac{1}{2}", "0.5"), (r"\frac{1+\sqrt{5}}{2}", r"\frac{1}{2}+\frac{\sqrt{5}}{2}"), ("½", "1/2"),
        (r"1-1/\mathrm{e}", r"1-\mathrm{e}^{-1}"), (r"2\sqrt{8}", r"4\sqrt{2}"), ("(x+1)^2", "x^2+2x+1"),
        (r"\frac{6}{\sqrt{3}}", r"2\sqrt{3}"), ("5!", "120"), (r"\sqrt{2}\sqrt{3}", r"\sqrt{6}"), ("2π", r"2\pi"),
        ("−7", "-7"), (r"3\times 10^{4}", "30000"), ("10²", "100"), ("3(x+1)", "3x+3"), ("$7$", "7"), ("xy", "y x"),
    ],
)  # fmt: skip
def test_equal_values_have_one_form(a, b):
    assert parse_exact(a) == parse_exact(b) is not None


@pytest.mark.parametrize(
    "text",
    [
        "1/2x", "2 3", r"2\frac{1}{2}", "f(x)", "", "1+", "(1", "1)", "word", "i", r"\mathrm{e}+\pi", "1,234", "x^x",
        "2^{x}", r"\sin x", r"\sqrt{x}", "1/0", "0^0", "9^{9^{9}}", "9^{999999}", "1/(x+1)", "3!!", "2^3^2", "=",
        "5 cm", r"\text{x}", "1_2", "(12,345)", "1;2", "(" * 5000 + "1" + ")" * 5000,
    ],
)  # fmt: skip
def test_ambiguous_and_foreign_texts_are_refused(text):
    assert parse_exact(text) is None


def test_a_comma_is_a_thousands_separator_only_when_asked():
    assert parse_exact("1,234") is None
    assert parse_exact("1,234", grouped=True) == Exact.of(1234) == parse_exact("1{,}234")
    assert parse_exact("1,23", grouped=True) is None


@settings(deadline=None)
@given(st.text(alphabet="0123456789+-*/^!(){}.,xyπ√\\ frac sqrtpi", max_size=40))
def test_any_text_is_read_or_refused(text):
    value = parse_exact(text)
    if value is not None:
        assert parse_exact(latex(value)) == value


def _value(draw_terms):
    total = Exact.of(0)
    for q, d, power in draw_terms:
        total = total + Exact.of(q) * Exact.root(Fraction(d)) * Exact.generator("x").power(power)
    return total


terms = st.lists(
    st.tuples(st.fractions(-50, 50, max_denominator=30), st.sampled_from([1, 2, 3, 5, 6]), st.integers(0, 3)),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(terms)
def test_what_is_written_reads_back(items):
    value = _value(items)
    assert parse_exact(latex(value)) == value
    assert parse_exact(latex(value, times=r" \cdot ")) == value


@settings(deadline=None)
@given(terms, terms)
def test_the_ring_agrees_with_floats(a, b):
    first, second = _value(a), _value(b)
    x = 1.37

    def at(value):
        return sum(float(q) * d**0.5 * x ** dict(p).get("x", 0) for (d, p), q in value.terms.items())

    assert at(first * second) == pytest.approx(at(first) * at(second), rel=1e-9, abs=1e-6)
    assert at(first - second) == pytest.approx(at(first) - at(second), rel=1e-9, abs=1e-6)


@settings(deadline=None)
@given(st.integers(1, 10**6))
def test_square_parts(n):
    a, b = square_parts(n)
    assert a * a * b == n
    assert all(b % (p * p) for p in range(2, 1001))


def test_decimals():
    assert decimal(Fraction(-1, 8)) == "-0.125"
    assert decimal(Fraction(1, 3)) is None
    assert decimal(Fraction(7)) == "7"
    rng = random.Random(0)
    for _ in range(200):
        q = Fraction(rng.randint(-(10**6), 10**6), 10 ** rng.randint(0, 6))
        assert Fraction(decimal(q)) == q
