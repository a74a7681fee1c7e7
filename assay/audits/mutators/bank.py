r"""Golds of assay's own, one generator for each class, so that a verifier is tried beyond what the user's golds hold.

A corpus of integers says nothing about bases, tiny numbers or units. The bank asks for them anyway; its rows are
reported under their own classes, so that a user may ignore those that the task never has.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest

from assay.audits.calls import CALL_FRAMES, gold_calls, write_calls
from assay.audits.case import Case
from assay.audits.mutators.calls import bank_golds
from assay.core.seeding import derive_seed, short_hash

BANK_PREFIX = "bank/"
"""Classes and ids of the bank begin with it, so that they stand apart from the user's."""

_WORDS = (
    "\\text{east}",
    "\\text{west}",
    "even",
    "odd",
    "yes",
    "no",
    "true",
    "false",
    "circle",
    "ellipse",
    "Tuesday",
    "green",
)


Shapes = Iterator[str]


def _integer(rng: random.Random) -> Shapes:
    yield from (str(rng.randint(*ends)) for ends in ((2, 20), (-20, -1), (21, 999), (1000, 9999), (10**5, 10**6)))


def _huge(rng: random.Random) -> Shapes:
    yield f"10^{{{rng.randint(15, 30)}}}"
    yield str(rng.randint(10**15, 10**30))
    yield str(rng.randint(1, 9) * 10 ** rng.randint(15, 25))


def _decimal(rng: random.Random) -> Shapes:
    yield f"0.{rng.randint(1, 99):02d}"
    yield f"{rng.randint(-99, 99)}.{rng.randint(1, 9)}"
    yield f"{rng.randint(1, 99)}.{rng.randint(1, 999):03d}"


def _tiny(rng: random.Random) -> Shapes:
    yield "0." + "0" * rng.randint(6, 12) + str(rng.randint(1, 9))
    yield rf"\frac{{1}}{{2^{{{rng.randint(60, 120)}}}}}"
    yield f"1/{rng.randint(100, 400)}!"


def _fraction(rng: random.Random) -> Shapes:
    for write in (r"\frac{{{}}}{{{}}}", "{}/{}", r"-\frac{{{}}}{{{}}}"):
        yield write.format(rng.randint(1, 30), rng.choice([2, 3, 4, 7, 11, 13, 25]))


def _irrational(rng: random.Random) -> Shapes:
    k, n = rng.randint(2, 9), rng.choice([2, 3, 5, 6, 7, 10])
    yield rf"{k}\sqrt{{{n}}}"
    yield rf"{k}-{n}/\mathrm{{e}}"
    yield rf"\frac{{{k}\pi}}{{{rng.choice([11, 13])}}}"
    yield rf"\frac{{1+\sqrt{{{n}}}}}{{{k}}}"
    yield rf"{k}\pi"
    yield rf"{k}+\sqrt{{{n}}}"


def _polynomial(rng: random.Random) -> Shapes:
    # The second letter is a unit as well: graders that strip units lose such variables.
    x, unit = rng.choice("xyzabn"), rng.choice("hmsg")
    a, b = rng.randint(2, 9), rng.randint(2, 9)
    yield f"{a}{x}+{b}{unit}"
    yield f"{a}{unit}"
    yield f"{x}^2-{a}{x}+{b}"
    yield f"{a}{x}+{b}"
    yield f"{x}{unit}-{a}"
    yield rf"\frac{{{a}}}{{11}}{x}^3"


def _tuple(rng: random.Random) -> Shapes:
    for size in (2, 3, 4):
        yield "(" + ",".join(str(rng.randint(-9, 20)) for _ in range(size)) + ")"


def _set(rng: random.Random) -> Shapes:
    for size in (2, 3, 5):
        yield r"\{" + ", ".join(map(str, sorted(rng.sample(range(-9, 20), size)))) + r"\}"


def _list(rng: random.Random) -> Shapes:
    for size in (2, 3, 5):
        yield ", ".join(map(str, sorted(rng.sample(range(-9, 20), size))))


def _interval(rng: random.Random) -> Shapes:
    a = rng.randint(-9, 9)
    b = a + rng.randint(1, 9)
    yield from (f"[{a},{b})", rf"(-\infty,{b}]", rf"({a},\infty)", f"({a},{b}]", rf"[{a},\infty)")


def _base(rng: random.Random) -> Shapes:
    for base in (2, 3, 5, 8):
        yield "1" + "".join(str(rng.randrange(base)) for _ in range(rng.randint(2, 5))) + f"_{base}"


def _quantity(rng: random.Random) -> Shapes:
    for unit in rng.sample(["cm", "m", "km", "g", "kg", "min", "h"], 3):
        yield rf"{rng.randint(2, 90)}\text{{ {unit}}}"
        yield f"{rng.randint(2, 90)} {unit}"


def _percent(rng: random.Random) -> Shapes:
    yield rf"{rng.randint(1, 99)}\%"


def _choice(rng: random.Random) -> Shapes:
    yield rng.choice("ABCDE")


def _word(rng: random.Random) -> Shapes:
    yield rng.choice(_WORDS)


def _equation(rng: random.Random) -> Shapes:
    a, b, c = rng.randint(2, 9), rng.randint(2, 9), rng.randint(1, 20)
    yield from (f"{a}x-{b}y+{c}=0", f"y={a}x+{c}", f"{a}x+{b}y={c}")


def _sequence(rng: random.Random) -> Shapes:
    k = rng.randint(1, 6)
    yield rf"{k},{2 * k},\dots,{'' if k == 1 else k}n"


BANK: Mapping[str, Callable[[random.Random], Shapes]] = {
    "integer": _integer,
    "huge": _huge,
    "decimal": _decimal,
    "tiny": _tiny,
    "fraction": _fraction,
    "irrational": _irrational,
    "polynomial": _polynomial,
    "tuple": _tuple,
    "set": _set,
    "list": _list,
    "interval": _interval,
    "base": _base,
    "quantity": _quantity,
    "percent": _percent,
    "choice": _choice,
    "word": _word,
    "equation": _equation,
    "sequence": _sequence,
}
"""For each class a generator that yields one gold of every shape."""


def bank_cases(per_class: int, seed: int = 0, *, frame: str = "{answer}") -> list[Case]:
    """Return up to `per_class` different golds of every class, each as a case that answers itself.

    The classes take turns, so that any beginning of the list has a bit of everything.
    """
    by_class: list[list[Case]] = []
    for cls, generate in BANK.items():
        rng = random.Random(derive_seed("bank", cls, seed))
        golds = dict.fromkeys(gold for _ in range(4 * per_class) for gold in generate(rng))
        name = f"{BANK_PREFIX}{cls}"
        by_class.append([_case(name, frame.replace("{answer}", gold)) for gold in list(golds)[:per_class]])
    return [case for turn in zip_longest(*by_class) for case in turn if case is not None]


def bank_calls(count: int, seed: int = 0) -> list[Case]:
    """Return up to `count` different golds that are tool calls, each as a case that answers itself."""
    rng = random.Random(derive_seed("bank", "tool-call", seed))
    golds = {repr(gold): gold for _ in range(count) for gold in bank_golds(rng)}
    name = f"{BANK_PREFIX}tool-call"
    return [
        Case(
            id=f"{name}/{short_hash(key)}",
            target=gold,
            response=write_calls(gold_calls(gold), CALL_FRAMES[0]),
            correct=True,
            cls=name,
        )
        for key, gold in list(golds.items())[:count]
    ]


def _case(name: str, gold: str) -> Case:
    return Case(id=f"{name}/{short_hash(gold)}", target=gold, response=gold, correct=True, cls=name)
