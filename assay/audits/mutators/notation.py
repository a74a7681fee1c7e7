r"""Mutants of golds whose notation carries the meaning: units, percent, bases, choices, words, equations, sequences.

Classes: `quantity`, `percent`, `base`, `choice`, `word`, `equation`, `sequence`. Each has its own argument, since
these are no values of the exact ring: a ratio of units, the value in base ten, other letters, non-proportional lines.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from fractions import Fraction

from assay.audits.mutators.base import Mutant, claimed
from assay.audits.mutators.exact import Exact, parse_exact
from assay.audits.mutators.render import latex

_UNITS: dict[str, dict[str, Fraction]] = {
    "length": {"mm": Fraction(1, 1000), "cm": Fraction(1, 100), "m": Fraction(1), "km": Fraction(1000)},
    "mass": {"mg": Fraction(1, 10**6), "g": Fraction(1, 1000), "kg": Fraction(1)},
    "time": {"s": Fraction(1), "min": Fraction(60), "h": Fraction(3600)},
    "volume": {"mL": Fraction(1, 1000), "L": Fraction(1)},
}
_GAP = r"(?:\\[,; ]|\s|~)"
_QUANTITY = re.compile(
    rf"^\$?(?P<number>-?\d+(?:\.\d+)?)"
    rf"(?:{_GAP}*\\(?:text|mathrm|textrm)\{{\s*(?P<boxed>[a-zA-Z]+)\s*\}}|{_GAP}+(?P<bare>[a-zA-Z]+))\$?$"
)
_PERCENT = re.compile(r"^\$?(?P<number>-?\d+(?:\.\d+)?)(?:\\[,; ]|\s)*\\?%\$?$")
_BASE = re.compile(r"^\$?(?P<digits>[0-9A-Z]+)_\{?(?P<base>\d{1,2})\}?\$?$")
_CHOICE = re.compile(r"^(?:\\text\{)?\(?(?P<letter>[A-E])\)?\}?$")
_WORD = re.compile(r"^(?P<wrapped>\\text\{)?(?P<word>[A-Za-z]{2,24})(?(wrapped)\})$")
_SHORT_WORDS = {"yes", "no", "odd", "even", "true"}
"""Shorter than five letters, a text may be a product of variables; these are words."""


def quantity_mutants(gold: str, rng: random.Random) -> Iterator[Mutant]:
    """Yield mutants of a number with a unit."""
    found = _QUANTITY.match(gold.strip())
    unit = (found["boxed"] or found["bare"]) if found else ""
    kind = next((name for name, table in _UNITS.items() if unit in table), None)
    if found is None or kind is None:
        return
    number, factor = Fraction(found["number"]), _UNITS[kind][unit]
    shown = found["number"]
    for family, text in (
        ("text-unit", rf"{shown}\text{{ {unit}}}"),
        ("roman-unit", rf"{shown}\,\mathrm{{{unit}}}"),
        ("plain-unit", f"{shown} {unit}"),
    ):
        if text != gold:
            yield claimed(text, "quantity", family, "equal", "layout", f"{shown} and {unit}, written otherwise")
    for other, size in _UNITS[kind].items():
        if other == unit:
            continue
        ratio = size / factor
        if number:
            argument = f"1 {other} is {ratio} {unit}"
            yield claimed(rf"{shown}\text{{ {other}}}", "quantity", "other-unit", "different", "units", argument)
        same = number / ratio
        if same.denominator in (1, 10, 100, 1000, 10**4):
            text = rf"{float(same):g}\text{{ {other}}}"
            argument = f"{same} {other} are {number} {unit}"
            yield claimed(text, "quantity", "converted", "equal", "units", argument, convention="units")
    argument = f"{number + 1} {unit} is not {number} {unit}"
    yield claimed(rf"{number + 1}\text{{ {unit}}}", "quantity", "off-by-one", "different", "units", argument)
    yield claimed(shown, "quantity", "unit-omitted", "equal", "units", "the same number", convention="units")


def percent_mutants(gold: str, rng: random.Random) -> Iterator[Mutant]:
    """Yield mutants of a percentage. Leaving the sign out is a convention either way."""
    found = _PERCENT.match(gold.strip())
    if found is None:
        return
    shown, number = found["number"], Fraction(found["number"])
    for family, text in (("escaped", rf"{shown}\%"), ("plain", f"{shown}%"), ("spaced", rf"{shown}\,\%")):
        if text != gold:
            yield claimed(text, "percent", family, "equal", "layout", f"{shown} percent, written otherwise")
    for family, other in (("off-by-one", number + 1), ("ten-times", number * 10), ("sign", -number)):
        if other != number and other.denominator == 1:
            argument = f"{other} percent is not {number} percent"
            convention = "tolerance" if abs(other - number) <= abs(number) / 100 else ""
            text = rf"{other}\%"
            yield claimed(text, "percent", family, "different", "percent", argument, convention=convention)
    fraction = number / 100
    text = f"{float(fraction):g}"
    if Fraction(text) == fraction:
        argument = f"{shown} percent is {fraction}"
        yield claimed(text, "percent", "as-number", "equal", "percent", argument, convention="percent")


def base_mutants(gold: str, rng: random.Random) -> Iterator[Mutant]:
    """Yield mutants of a number with a base, such as `101_2`."""
    found = _BASE.match(gold.strip())
    if found is None:
        return
    digits, base = found["digits"], int(found["base"])
    value = _in_base(digits, base)
    if value is None:
        return
    for family, text in (("braced", f"{digits}_{{{base}}}"), ("grouped", f"{{{digits}}}_{{{base}}}")):
        if text != gold:
            yield claimed(text, "base", family, "equal", "base", f"both are {value}")
    for family, other_digits, other_base in (
        ("other-base", digits, base + 1),
        ("other-base", digits, base + 2),
        ("base-dropped", digits, 10),
        ("digits-reversed", digits[::-1], base),
        ("digit-added", f"{digits}0", base),
    ):
        other = _in_base(other_digits, other_base)
        if other is not None and other != value and other_base <= 36:
            text = other_digits if family == "base-dropped" else f"{other_digits}_{{{other_base}}}"
            # Without a base the digits could be meant in the base that the question names.
            convention = "base" if family == "base-dropped" else ""
            argument = f"in base ten {other}, not {value}"
            yield claimed(text, "base", family, "different", "base", argument, convention=convention)


def _in_base(digits: str, base: int) -> int | None:
    try:
        return int(digits, base) if 2 <= base <= 36 else None
    except ValueError:
        return None


def choice_mutants(gold: str, rng: random.Random) -> Iterator[Mutant]:
    """Yield mutants of a choice letter."""
    found = _CHOICE.match(gold.strip())
    if found is None:
        return
    letter = found["letter"]
    for family, text in (
        ("brackets", f"({letter})"),
        ("text", rf"\text{{{letter}}}"),
        ("text-brackets", rf"\text{{({letter})}}"),
    ):
        if text != gold:
            yield claimed(text, "choice", family, "equal", "letters", f"the letter is {letter}")
    for other in "ABCDE":
        if other != letter:
            argument = f"{other} is not {letter}"
            yield claimed(other, "choice", "other-letter", "different", "letters", argument)
            both = f"{letter}, {other}"
            yield claimed(both, "choice", "two-letters", "different", "letters", f"{other} is chosen too")


def word_mutants(gold: str, rng: random.Random) -> Iterator[Mutant]:
    """Yield mutants of a one-word answer. Letters in another order are another word."""
    found = _WORD.match(gold.strip())
    if found is None:
        return
    word = found["word"]
    if not found["wrapped"] and len(word) < 5 and word.lower() not in _SHORT_WORDS:
        return
    yield claimed(rf"\text{{{word}}}", "word", "text", "equal", "layout", "the same letters")
    if word != word.lower():
        yield claimed(word.lower(), "word", "case", "equal", "letters", "the same letters", convention="case")
    others = {
        "letters-reversed": word[::-1],
        "letters-shuffled": "".join(rng.sample(word, len(word))),
        "letter-dropped": word[:-1],
        "letter-added": word + rng.choice("qxz"),
        "negated": f"not {word}",
    }
    for family, text in others.items():
        if text.lower() != word.lower() and len(text) > 1:
            argument = f"{text!r} is not {word!r}"
            shown = rf"\text{{{text}}}" if found["wrapped"] or " " in text else text
            yield claimed(shown, "word", family, "different", "letters", argument)


def equation_mutants(gold: str, rng: random.Random) -> Iterator[Mutant]:
    """Yield mutants of a linear equation in at least two variables: other lines are other solution sets."""
    sides = gold.strip().strip("$").split("=")
    values = [parse_exact(side) for side in sides]
    if len(sides) != 2 or values[0] is None or values[1] is None:
        return
    left, right = values[0], values[1]
    line = left - right
    if len(line.variables) < 2 or not _linear(line):
        return
    swapped = f"{sides[1].strip()} = {sides[0].strip()}"
    yield claimed(swapped, "equation", "sides-swapped", "equal", "proportional", "the same equation")
    shown = f"{latex(left)} = {latex(right)}"
    if shown != gold:
        yield claimed(shown, "equation", "spaced", "equal", "proportional", "the same equation")
    doubled = f"{latex(left * Exact.of(2))} = {latex(right * Exact.of(2))}"
    yield claimed(doubled, "equation", "doubled", "equal", "proportional", "both sides twice", convention="form")
    name = rng.choice(sorted(line.variables))
    monomial = (1, ((name, 1),))
    for family, other in (
        ("constant", right + Exact.of(1)),
        ("coefficient", right + Exact({monomial: Fraction(2)})),
    ):
        if not _proportional(left - other, line):
            argument = f"{left - other} is no multiple of {line}"
            text = f"{latex(left)} = {latex(other)}"
            yield claimed(text, "equation", family, "different", "proportional", argument)


def _linear(value: Exact) -> bool:
    return all(d == 1 and sum(e for _, e in powers) in (0, 1) and all(e == 1 for _, e in powers)
               and "pi" not in dict(powers) and "e" not in dict(powers) for d, powers in value.terms)  # fmt: skip


def _proportional(a: Exact, b: Exact) -> bool:
    if set(a.terms) != set(b.terms):
        return False
    return len({a.terms[m] / b.terms[m] for m in a.terms}) <= 1


def sequence_mutants(gold: str, rng: random.Random) -> Iterator[Mutant]:
    r"""Yield mutants of `a,2a,\dots,na`: other sequences that begin or end alike."""
    found = re.match(r"^(\d+), ?(\d+), ?\\(?:l?dots), ?(\w+)$", gold.strip().strip("$"))
    if found is None:
        return
    first, second, last = int(found[1]), int(found[2]), found[3]
    yield claimed(rf"{first}, {second}, \ldots, {last}", "sequence", "ldots", "equal", "layout", "the same terms")
    third = second + (second - first) + 1
    text = rf"{first},{third},\dots,{last}"
    argument = f"the second term is {third}, not {second}"
    yield claimed(text, "sequence", "second-term", "different", "terms", argument)
    yield claimed(f"{first},{last}", "sequence", "middle-dropped", "different", "terms", f"{second} is missing")
