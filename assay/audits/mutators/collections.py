r"""Mutants of golds with parts: tuples, sets, lists, intervals.

Classes: `tuple` (round brackets, at least two parts), `set` (`\{...\}`), `list` (bare commas), `interval` (different
brackets, or an infinite end; `(1,2)` alone could be either and is treated as a tuple, which is safe for both readings).
A part is an exact value, so that two wholes differ if and only if a part differs, is missing or stands elsewhere.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from assay.audits.mutators.base import Mutant, claimed
from assay.audits.mutators.exact import Exact, parse_exact, split_top
from assay.audits.mutators.render import latex

_BRACKETS = {"tuple": ("(", ")"), "set": (r"\{", r"\}"), "list": ("", "")}
_INFINITE = re.compile(r"^([+-]?)(?:\\infty|∞)$")


def collection_mutants(gold: str, rng: random.Random) -> Iterator[Mutant]:
    """Yield mutants of a tuple, set or list of exact values."""
    found = read_collection(gold)
    if found is None:
        return
    kind, values = found
    yield from _equal(kind, values, gold, rng)
    yield from _different(kind, values, rng)


def read_collection(text: str) -> tuple[str, list[Exact]] | None:
    r"""Return the kind and the parts of `(1,2)`, `\{1,2\}` or `1, 2`; None for anything else."""
    bare = _bare(text)
    kind = "list"
    for name in ("set", "tuple"):
        opening, closing = _BRACKETS[name]
        if bare.startswith(opening) and bare.endswith(closing):
            kind, bare = name, bare[len(opening) : -len(closing)]
            break
    if any(c in bare for c in "[]{}()") and kind == "list" and not bare.isascii():
        return None
    if re.search(r"\d,\d{3}(?!\d)", bare):  # 1,234: a number or two?
        return None
    parts = [parse_exact(part) for part in split_top(bare)]
    values = [v for v in parts if v is not None]
    return (kind, values) if len(values) == len(parts) >= 2 else None


def _bare(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "$":
        text = text[1:-1].strip()
    return re.sub(r"\\left|\\right|\\,|\\!|\\;", "", text)


def _write(kind: str, values: Sequence[Exact], separator: str = ", ") -> str:
    opening, closing = _BRACKETS[kind]
    return opening + separator.join(latex(v) for v in values) + closing


def _equal(kind: str, values: list[Exact], gold: str, rng: random.Random) -> Iterator[Mutant]:
    def mutant(family: str, text: str, convention: str = "") -> Iterator[Mutant]:
        again = read_collection(text)
        if again is not None and again[0] == kind and text != gold and _same(kind, again[1], values):
            shown = ", ".join(map(str, values))
            yield claimed(text, kind, family, "equal", "parts", f"the parts are {shown}", convention=convention)

    plain = _write(kind, values)
    yield from mutant("spaced", plain)
    if not re.search(r"\d,\d{3}(?!\d)", plain.replace(" ", "")):
        yield from mutant("unspaced", _write(kind, values, ","))
    yield from mutant("thin-space", _write(kind, values, r",\, "))
    yield from mutant("dfrac", plain.replace(r"\frac", r"\dfrac"))
    yield from mutant("dollars", f"${plain}$")
    if kind == "tuple":
        yield from mutant("left-right", r"\left" + plain[:-1] + r"\right)")
    if kind != "tuple":
        shuffled = values[::-1] if len(values) == 2 else rng.sample(values, len(values))
        yield from mutant("reordered", _write(kind, shuffled), "" if kind == "set" else "order")


def _different(kind: str, values: list[Exact], rng: random.Random) -> Iterator[Mutant]:
    def mutant(family: str, other: list[Exact], argument: str, convention: str = "") -> Iterator[Mutant]:
        if other and not _same(kind, other, values):
            yield claimed(_write(kind, other), kind, family, "different", "parts", argument, convention=convention)

    i = rng.randrange(len(values))
    changed = values[i] + Exact.of(rng.choice([1, -1, 10]))
    if changed.terms not in [v.terms for v in values] or kind == "tuple":
        yield from mutant("part-changed", _with(values, i, changed), f"part {i + 1} is {changed}, not {values[i]}")
    negated = -values[i]
    if negated.terms not in [v.terms for v in values]:
        yield from mutant("part-sign", _with(values, i, negated), f"part {i + 1} is {negated}, not {values[i]}")
    extra = next(Exact.of(n) for n in range(2, 99) if Exact.of(n).terms not in [v.terms for v in values])
    yield from mutant("part-added", [*values, extra], f"{extra} is not among the parts")
    rest = values[:i] + values[i + 1 :]
    repeated = "duplicates" if values[i].terms in [v.terms for v in rest] else ""
    if len(rest) > 1 or kind != "tuple":
        yield from mutant("part-dropped", rest, f"{values[i]} is missing", repeated)
    if kind == "tuple" and values[0].terms != values[-1].terms:
        swapped = [values[-1], *values[1:-1], values[0]]
        yield from mutant("parts-swapped", swapped, f"the first part is {values[-1]}, not {values[0]}")


def _with(values: list[Exact], i: int, value: Exact) -> list[Exact]:
    return [*values[:i], value, *values[i + 1 :]]


def _same(kind: str, a: Sequence[Exact], b: Sequence[Exact]) -> bool:
    first, second = [str(v) for v in a], [str(v) for v in b]
    if kind == "set":
        return set(first) == set(second)
    return first == second if kind == "tuple" else sorted(first) == sorted(second)


def interval_mutants(gold: str, rng: random.Random) -> Iterator[Mutant]:
    r"""Yield mutants of one interval that cannot be a tuple: `[a,b)`, `(-\infty, 3]`."""
    found = read_interval(gold)
    if found is None:
        return
    opening, low, high, closing = found
    for family, text in (
        ("spaced", f"{opening}{low}, {high}{closing}"),
        ("unspaced", f"{opening}{low},{high}{closing}"),
        ("left-right", rf"\left{opening}{low}, {high}\right{closing}"),
        ("dollars", f"${opening}{low}, {high}{closing}$"),
    ):
        if text != gold:
            yield claimed(text, "interval", family, "equal", "layout", "the same brackets and ends")
    other_opening, other_closing = "[" if opening == "(" else "(", "]" if closing == ")" else ")"
    for end, text in (
        (low, f"{other_opening}{low}, {high}{closing}"),
        (high, f"{opening}{low}, {high}{other_closing}"),
    ):
        if parse_exact(end) is not None:
            argument = f"the end {end} belongs to one of them only"
            yield claimed(text, "interval", "bracket", "different", "membership", argument)
    if parse_exact(low) is not None and parse_exact(high) is not None:
        argument = "an interval holds more than its ends"
        yield claimed(f"{low}, {high}", "interval", "brackets-dropped", "different", "membership", argument)
    yield from _moved_end(opening, low, high, closing)


def _moved_end(opening: str, low: str, high: str, closing: str) -> Iterator[Mutant]:
    a, b = parse_exact(low), parse_exact(high)
    if b is not None:
        further = latex(b + Exact.of(1))
        text = f"{opening}{low}, {further}{closing}"
        yield claimed(text, "interval", "end-moved", "different", "membership", f"numbers between {high} and {further}")
    elif a is not None:
        further = latex(a - Exact.of(1))
        text = f"{opening}{further}, {high}{closing}"
        yield claimed(text, "interval", "end-moved", "different", "membership", f"numbers between {further} and {low}")


def read_interval(text: str) -> tuple[str, str, str, str] | None:
    """Return the brackets and ends of an interval that is no tuple and not empty; None for anything else."""
    bare = _bare(text)
    if len(bare) < 5 or bare[0] not in "([" or bare[-1] not in ")]":
        return None
    ends = [part.strip() for part in split_top(bare[1:-1])]
    if len(ends) != 2:
        return None
    low, high = ends
    infinite = [bool(_INFINITE.match(end)) for end in ends]
    values = [parse_exact(end) for end in ends]
    if any(v is None or (v.rational is None) for v, inf in zip(values, infinite, strict=True) if not inf):
        return None
    if (infinite[0] and (bare[0] == "[" or low[0] != "-")) or (infinite[1] and (bare[-1] == "]" or high[0] == "-")):
        return None
    mixed = (bare[0], bare[-1]) in (("[", ")"), ("(", "]"))
    if not mixed and not any(infinite):
        return None
    a, b = (v.rational if v is not None else None for v in values)
    return None if a is not None and b is not None and a >= b else (bare[0], low, high, bare[-1])
