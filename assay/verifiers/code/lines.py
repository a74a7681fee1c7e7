"""Labels for the lines of programs, to train a process reward model for code on: PRLCoder (arXiv:2502.01715).

A teacher changes one line of a correct program: it mutates the line, or writes it otherwise. Compiling and running the
tests labels the changed line, given the lines before it: + if the program still passes, - if not. The label says what
the line does, not what the teacher meant: a mutant that still passes is +, a rewriting that breaks something is -.
The paper's teacher is a language model; here it is a function, and the default one edits the syntax tree.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from assay.verifiers.code.extract import parse_python
from assay.verifiers.code.grade import GradingSandbox, grade
from assay.verifiers.code.mutants import Variant, mutants, rewritings
from assay.verifiers.code.tests import Suite

Kind = Literal["original", "mutate", "refactor"]
Flag = Literal["", "compile", "timeout"]
Teacher = Callable[[str, int], Iterable[tuple[Kind, str]]]
"""Changes line number n (from 1) of a program: yields what was done and the new text of the line."""


@dataclass(frozen=True, slots=True)
class LineLabel:
    """One line in one wording, after the lines before it."""

    prefix: str
    """The lines before, unchanged."""
    line: int
    """Its number, from 1."""
    text: str
    kind: Kind
    label: Literal[1, -1]
    flag: Flag = ""
    """Why it is -, if not for a wrong result: it does not compile, or does not end in time."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


def label_lines(
    sandbox: GradingSandbox,
    code: str,
    suite: Suite,
    *,
    per_line: int = 2,
    seed: int = 0,
    teacher: Teacher | None = None,
) -> list[LineLabel]:
    """Label the lines of a correct program and up to `per_line` changes of each kind for every line.

    ValueError when the program does not pass its tests. Raises `SandboxFault` when that cannot be told.
    """
    passed, flag = _judged(sandbox, code, suite)
    if not passed:
        raise ValueError(f"only a correct program has lines to label; this one fails{f': {flag}' if flag else ''}")
    rng = random.Random(seed)
    change = teacher or edit_teacher(code)
    lines = code.splitlines()
    labels: list[LineLabel] = []
    for number in _logical_lines(code):
        prefix = "".join(f"{line}\n" for line in lines[: number - 1])
        labels.append(LineLabel(prefix, number, lines[number - 1], "original", 1))
        made = list(dict.fromkeys(change(code, number)))
        kinds: tuple[Kind, ...] = ("mutate", "refactor")
        for kind in kinds:
            mine = [text for k, text in made if k == kind]
            for text in rng.sample(mine, min(per_line, len(mine))):
                changed = "\n".join([*lines[: number - 1], text, *lines[number:]]) + "\n"
                passed, flag = _judged(sandbox, changed, suite)
                labels.append(LineLabel(prefix, number, text, kind, 1 if passed else -1, flag))
    return labels


def edit_teacher(code: str) -> Teacher:
    """Return the teacher that edits the syntax tree of this program."""
    changes: dict[int, list[tuple[Kind, str]]] = {}
    for kind, variants in (("mutate", mutants(code)), ("refactor", rewritings(code))):
        for variant in variants:
            changes.setdefault(variant.line, []).extend(_on_one_line(code, variant, kind))  # type: ignore[arg-type]
    return lambda _code, number: changes.get(number, ())


def _on_one_line(code: str, variant: Variant, kind: Kind) -> Iterator[tuple[Kind, str]]:
    """Yield the line of a variant that differs in this line only."""
    before, after = code.splitlines(), variant.source.splitlines()
    differing = [number for number, (a, b) in enumerate(zip(before, after, strict=False), 1) if a != b]
    if len(before) == len(after) and differing == [variant.line]:
        yield kind, after[variant.line - 1]


def _judged(sandbox: GradingSandbox, code: str, suite: Suite) -> tuple[bool, Flag]:
    program = suite.assemble(code)
    try:
        parse_python(program)
    except ValueError:
        return False, "compile"
    for outcome in grade(sandbox, code, suite):
        if not outcome.passed:
            return False, "timeout" if outcome.status in ("cpu_limit", "wall_limit") else ""
    return True, ""


def _logical_lines(code: str) -> list[int]:
    """Return the numbers of the lines that say something: no blank ones, no comments."""
    return [n for n, line in enumerate(code.splitlines(), 1) if line.strip() and not line.lstrip().startswith("#")]
