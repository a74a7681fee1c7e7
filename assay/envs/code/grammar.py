"""A small grammar of programs over lists of integers: specification, reference solution and hidden tests from a seed.

`f(xs): keep even; add 3; sum` stands for three steps. Every step has its words, its Python, and its meaning as a
function of this module; expected values come from the meaning, so that no program is run to make a task. The tests of
a task tell its program from every constant, and from the same program with any one step left out; those that tell most
come first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np

from assay.core.errors import ConfigError
from assay.core.task import Problem
from assay.envs.procedural import check_between, prompt, span

ENTRY_POINT = "f"
INSTRUCTIONS = (
    "Write a Python function f(xs) that takes a list of integers and returns the result of the given steps, in order. "
    "Answer with one ```python code block. Sum and count of an empty list are 0; first, last, largest and smallest of "
    "an empty list are 0."
)
_ATTEMPTS = 200


@dataclass(frozen=True)
class Step:
    """One step of a program."""

    words: str
    python: str
    """A statement that assigns to `xs`, or for a last step an expression."""
    apply: Callable[[list[int]], Any]


def _transforms(k: int) -> tuple[Step, ...]:
    return (
        Step(f"add {k}", f"xs = [x + {k} for x in xs]", lambda xs: [x + k for x in xs]),
        Step(f"subtract {k}", f"xs = [x - {k} for x in xs]", lambda xs: [x - k for x in xs]),
        Step(f"multiply by {k}", f"xs = [x * {k} for x in xs]", lambda xs: [x * k for x in xs]),
        Step("negate", "xs = [-x for x in xs]", lambda xs: [-x for x in xs]),
        Step("square", "xs = [x * x for x in xs]", lambda xs: [x * x for x in xs]),
        Step(f"remainder by {k}", f"xs = [x % {k} for x in xs]", lambda xs: [x % k for x in xs]),
        Step("keep even", "xs = [x for x in xs if x % 2 == 0]", lambda xs: [x for x in xs if x % 2 == 0]),
        Step("keep odd", "xs = [x for x in xs if x % 2 == 1]", lambda xs: [x for x in xs if x % 2 == 1]),
        Step("keep positive", "xs = [x for x in xs if x > 0]", lambda xs: [x for x in xs if x > 0]),
        Step(f"keep above {k}", f"xs = [x for x in xs if x > {k}]", lambda xs: [x for x in xs if x > k]),
        Step("reverse", "xs = xs[::-1]", lambda xs: xs[::-1]),
        Step("sort", "xs = sorted(xs)", sorted),
        Step("drop the first", "xs = xs[1:]", lambda xs: xs[1:]),
        Step(f"take {k}", f"xs = xs[:{k}]", lambda xs: xs[:k]),
        Step("distinct", "xs = list(dict.fromkeys(xs))", lambda xs: list(dict.fromkeys(xs))),
    )


_ENDS = (
    Step("sum", "sum(xs)", sum),
    Step("count", "len(xs)", len),
    Step("largest", "max(xs, default=0)", lambda xs: max(xs, default=0)),
    Step("smallest", "min(xs, default=0)", lambda xs: min(xs, default=0)),
    Step("first", "xs[0] if xs else 0", lambda xs: xs[0] if xs else 0),
    Step("last", "xs[-1] if xs else 0", lambda xs: xs[-1] if xs else 0),
    Step("list", "xs", lambda xs: xs),
)


_CONSTANTS = range(2, 8)
_STEP_OF = {step.words: step for k in _CONSTANTS for step in _transforms(k)}
_SPACED = re.compile(r" *([=+\-*%<>,:]+) *")


@dataclass(frozen=True)
class Program:
    """Transforms, and how it ends."""

    steps: tuple[Step, ...]
    end: Step

    @property
    def words(self) -> str:
        """The specification."""
        return "; ".join(step.words for step in (*self.steps, self.end))

    @property
    def source(self) -> str:
        """The reference solution."""
        body = [f"    {step.python}" for step in self.steps]
        return "\n".join([f"def {ENTRY_POINT}(xs):", *body, f"    return {self.end.python}"]) + "\n"

    @property
    def short(self) -> str:
        """The reference solution on one line, without a space that Python can do without."""
        body = ";".join([*(step.python for step in self.steps), f"return {self.end.python}"])
        return f"def {ENTRY_POINT}(xs):" + _SPACED.sub(r"\1", body)

    def __call__(self, xs: Sequence[int]) -> Any:
        """Return what the program computes."""
        return self.end.apply(reduce(lambda value, step: step.apply(value), self.steps, list(xs)))

    def without(self, index: int) -> Program:
        """Return the program with one step left out."""
        return Program(self.steps[:index] + self.steps[index + 1 :], self.end)


def program_of(words: str) -> Program:
    """Return the program with this specification."""
    *steps, end = words.split("; ")
    return Program(tuple(_STEP_OF[step] for step in steps), next(e for e in _ENDS if e.words == end))


def careless_program(rng: np.random.Generator, program: Program) -> Program:
    """Return the program with one step forgotten, or with a step or the end mistaken for another."""
    at = int(rng.integers(len(program.steps) + 1))
    if at == len(program.steps):
        return Program(program.steps, _ENDS[int(rng.integers(len(_ENDS)))])
    if rng.random() < 0.5:
        return program.without(at)
    (other,) = random_program(rng, 1).steps
    return Program((*program.steps[:at], other, *program.steps[at + 1 :]), program.end)


def random_program(rng: np.random.Generator, steps: int) -> Program:
    """Return a program with this many transforms."""
    drawn = []
    for _ in range(steps):
        choices = _transforms(int(rng.integers(_CONSTANTS.start, _CONSTANTS.stop)))
        drawn.append(choices[int(rng.integers(len(choices)))])
    return Program(tuple(drawn), _ENDS[int(rng.integers(len(_ENDS)))])


@dataclass(frozen=True)
class ProgramGenerator:
    """Tasks of the grammar."""

    steps: tuple[int, int] = (1, 3)
    tests: int = 10
    public: int = 2
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", span("steps", self.steps, low=1, high=8))
        check_between("tests", self.tests, 4, 100)
        check_between("public", self.public, 0, self.tests)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one problem."""
        for _ in range(_ATTEMPTS):
            program = random_program(rng, int(rng.integers(self.steps[0], self.steps[1] + 1)))
            inputs = [_list(rng) for _ in range(self.tests + self.public)]
            hidden, shown = sorted(inputs[: self.tests], key=len, reverse=True), inputs[self.tests :]
            if _telling(program, hidden):
                break
        else:
            raise ConfigError("no program of the grammar can be told apart by so few tests")
        return {
            "prompt": prompt(f"{ENTRY_POINT}(xs): {program.words}", self.instructions),
            "key": program.words,
            "target": {"tests": [_test(program, xs) for xs in hidden], "entry_point": ENTRY_POINT, "cpu_seconds": 2},
            "difficulty": float(len(program.steps)),
            "tags": (f"steps-{len(program.steps)}",),
            "metadata": {
                "solution": program.source,
                "words": program.words,
                "public": [_test(program, xs) for xs in shown],
            },
        }


def _list(rng: np.random.Generator) -> list[int]:
    return [int(x) for x in rng.integers(-9, 21, size=int(rng.integers(0, 9)))]


def _test(program: Program, xs: list[int]) -> dict[str, Any]:
    return {"args": [xs], "expected": program(xs)}


def _telling(program: Program, inputs: Sequence[list[int]]) -> bool:
    """Whether the inputs give at least three different results, and show that every step matters."""
    results = [program(xs) for xs in inputs]
    if len({repr(result) for result in results}) < 3:
        return False
    lesser = (program.without(i) for i in range(len(program.steps)))
    return all(results != [other(xs) for xs in inputs] for other in lesser)
