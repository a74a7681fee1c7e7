"""Certificates checked by an independent method: sympy for values, plain Python for notation."""

import re
from fractions import Fraction

import pytest
import sympy
from sympy.parsing.sympy_parser import implicit_multiplication, parse_expr, split_symbols, standard_transformations

from assay.audits.case import Case
from assay.audits.mutators import bank_cases, certified_cases, mutants

_RULES = (*standard_transformations, split_symbols, implicit_multiplication)
_SYMBOLS = {c: sympy.Symbol(c) for c in "abcdefghjklmnopqrstuvwxyzABCDEN"}
_SUPER = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def to_sympy(text):
    """An own, naive translator: the texts are the audit's, so regular expressions are enough."""
    text = text.strip().strip("$")
    text = "".join(chr(ord(c) - 0xFEE0) if 0xFF10 <= ord(c) <= 0xFF19 else c for c in text)
    text = text.replace("{,}", "").replace("−", "-").replace("π", r"\pi ").replace("×", "*")
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text).replace("½", "(1/2)").replace("¼", "(1/4)")
    text = re.sub("([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "^" + m[1].translate(_SUPER), text)
    text = re.sub(r"\\left|\\right|\\,|\\;|\\!", "", text)
    text = re.sub(r"\\mathrm\{e\}", " E0 ", text)
    text = re.sub(r"(\d+)!", r"factorial(\1)", text)
    for _ in range(20):
        text = re.sub(r"\\[dtc]?frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", text)
        text = re.sub(r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)", text)
        text = re.sub(r"\^\{([^{}]*)\}", r"^(\1)", text)
    text = text.replace(r"\pi", " pi ").replace(r"\cdot", "*").replace(r"\times", "*").replace("^", "**")
    names = {**_SYMBOLS, "E0": sympy.E, "pi": sympy.pi, "sqrt": sympy.sqrt, "factorial": sympy.factorial}
    text = re.sub(r"(\d*\.\d+)", r"Rational('\1')", text)
    names["Rational"] = sympy.Rational
    return parse_expr(text, local_dict=names, transformations=_RULES)


def same_value(a, b):
    difference = sympy.expand(to_sympy(a) - to_sympy(b))
    return difference == 0 or sympy.simplify(difference) == 0


def parts(text):
    text = re.sub(r"\\left|\\right|\\,", "", text.strip().strip("$")).strip()
    text = text.removeprefix(r"\{").removesuffix(r"\}").strip("()[]")
    return [to_sympy(p) for p in text.split(",")]


def check_exact(case):
    return same_value(str(case.target), case.answer)


def check_parts(case):
    gold, other = parts(str(case.target)), parts(case.answer)
    kind = case.cls.removeprefix("bank/")
    if kind == "tuple":
        return gold == other
    return set(gold) == set(other) if kind == "set" else sorted(gold, key=str) == sorted(other, key=str)


def check_interval(case):
    def read(text):
        text = re.sub(r"\\left|\\right", "", text.strip().strip("$")).replace(r"\infty", "oo").replace(" ", "")
        if text[0] not in "([":
            return sympy.FiniteSet(*map(sympy.sympify, text.split(",")))
        low, high = text[1:-1].split(",")
        return sympy.Interval(sympy.sympify(low), sympy.sympify(high), text[0] == "(", text[-1] == ")")

    return read(str(case.target)) == read(case.answer)


def check_base(case):
    def read(text):
        digits, _, base = text.replace("{", "").replace("}", "").partition("_")
        return sum(int(d, 36) * int(base or 10) ** i for i, d in enumerate(reversed(digits)))

    return read(str(case.target)) == read(case.answer)


def check_equation(case):
    def read(text):
        left, right = text.strip("$").split("=")
        return sympy.Poly(to_sympy(left) - to_sympy(right)).monic().as_expr()

    return read(str(case.target)) == read(case.answer)


def check_percent(case):
    def read(text):
        number = Fraction(re.sub(r"[^\d.-]", "", text))
        return number / 100 if "%" in text else number

    return read(str(case.target)) == read(case.answer)


def check_quantity(case):
    size = {"mm": "1/1000", "cm": "1/100", "m": "1", "km": "1000", "g": "1", "kg": "1000", "mg": "1/1000"} | {
        "s": "1", "min": "60", "h": "3600"
    }  # fmt: skip

    def read(text):
        number = Fraction(re.match(r"-?[\d.]+(e[+-]?\d+)?", text)[0])
        unit = re.sub(r"\\text|\\mathrm|[^a-z]", "", text[len(re.match(r"-?[\d.]+(e[+-]?\d+)?", text)[0]) :])
        return number * Fraction(size[unit]) if unit else number

    if case.family == "unit-omitted":
        return str(case.target).startswith(case.answer)
    return read(str(case.target)) == read(case.answer)


CHECKS = {
    "exact": check_exact, "squares": check_exact, "identity": lambda case: case.answer == str(case.target),
    "parts": check_parts, "membership": check_interval, "base": check_base, "proportional": check_equation,
    "percent": check_percent, "units": check_quantity,
}  # fmt: skip


@pytest.mark.parametrize(
    ("seeds", "bank", "least"),
    [pytest.param(1, 4, 400, id="sample"), pytest.param(3, 10, 2000, id="2000", marks=pytest.mark.slow)],
)
def test_no_certificate_is_wrong(seeds, bank, least):
    checked, wrong = 0, []
    for seed in range(seeds):
        for case in certified_cases([], bank_cases(bank, seed), seed=seed, per_gold=3, most=99999):
            check = CHECKS.get(case.certificate.method)
            if check is None or (case.certificate.method == "exact" and "!" in case.answer + str(case.target)):
                continue
            checked += 1
            if check(case) != case.correct:
                wrong.append((case.target, case.answer, case.certificate))
    assert checked >= least
    assert wrong == []


@pytest.mark.parametrize(
    ("gold", "right", "wrong"),
    [
        ("7", ["7.0", "$7$", "+7"], ["8", "6", "-7", r"7\sqrt{2}", "7!", r"\sqrt{50}"]),
        ("1234", ["1,234", "1{,}234"], ["1235", "123", "234"]),
        ("0.5", [r"\frac{1}{2}", ".5", "0.50", "½"], ["0.6", "5"]),
        (r"4\sqrt{2}", [r"\sqrt{2} \cdot 4"], ["4", r"4\sqrt{3}", r"-4\sqrt{2}"]),
        ("2x+3h", [r"3h+2x"], ["2x+3", "2x"]),
        (r"1-1/\mathrm{e}", [r"1-\mathrm{e}^{-1}"], [r"1+1/\mathrm{e}", "1"]),
        ("101_2", ["101_{2}"], ["101_{3}"]),
        (r"5\text{ cm}", ["5 cm"], [r"5\text{ m}", r"6\text{ cm}"]),
        ("[1,2)", ["[1, 2)"], ["(1, 2)", "[1, 2]", "1, 2"]),
        (r"\{1, 2, 3\}", [r"\{1,2,3\}"], []),
        ("(1,2)", ["(1, 2)"], ["(2, 1)"]),
        ("B", ["(B)", r"\text{B}"], ["A", "B, A"]),
        ("even", [r"\text{even}"], ["neve", r"\text{not even}"]),
        ("y=2x+3", ["2x+3 = y"], ["y = 2x+4"]),
        (r"3,6,\dots,3n", [r"3, 6, \ldots, 3n"], ["3,3n"]),
        (r"\tan \frac{x}{2}", [r"\tan \dfrac{x}{2}"], []),
    ],
)
def test_mutants_of_each_class(gold, right, wrong):
    import random

    found = {}
    for seed in range(6):
        found |= {m.text: m.correct for m in mutants(gold, random.Random(seed))}
    assert all(found.get(text) is True for text in right)
    assert all(found.get(text) is False for text in wrong)


def test_conventions_are_marked():
    import random

    marks = {m.text: m.certificate.convention for gold in ("50\\%", "5 cm", "1, 2, 2", "3.14", "3, 4")
             for m in mutants(gold, random.Random(0))}  # fmt: skip
    assert marks["0.5"] == "percent"
    assert marks["5"] == "units"
    assert marks["3.15"] == "tolerance"
    assert marks["4, 3"] == "order"


def test_golds_of_the_user_and_of_the_bank():
    rows = [Case("a", "3/4", "x", True), Case("b", {"tool": 1}, "x", True), Case("c", "3/4", "y", False)]
    cases = certified_cases(rows, bank_cases(2), most=400)
    assert {c.cls for c in cases if c.cls.startswith("bank/")} >= {"bank/base", "bank/word", "bank/interval"}
    mine = [c for c in cases if not c.cls.startswith("bank/")]
    assert {c.cls for c in mine} == {"fraction"}
    assert len({c.id for c in cases}) == len(cases)
    assert cases == certified_cases(rows, bank_cases(2), most=400)
    assert certified_cases(rows, bank_cases(2), most=400, frame=r"\boxed{{answer}}")[0].response.startswith(r"\boxed{")
