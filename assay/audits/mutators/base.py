"""Mutant: a response made from a gold, with the proof that it is right or wrong."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from assay.audits.case import Case, Certificate, Relation
from assay.audits.mutators.exact import Exact, parse_exact


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rewritten answer."""

    text: str
    cls: str
    """Class of the gold: `integer`, `fraction`, `polynomial`, `tuple`, `base`, ..."""
    family: str
    """What was done to it: `spacing`, `off-by-one`, ..."""
    certificate: Certificate
    whole: bool = False
    """The text is a whole response, such as a program or calls: it is put into no frame."""

    @property
    def correct(self) -> bool:
        """Whether the mutant is a right answer."""
        return self.certificate.relation == "equal"


_MAX_TEXT = 300

Mutator = Callable[[str, random.Random], Iterator[Mutant]]
"""Yields mutants of a gold of its class, and nothing for other golds."""

TaskMutator = Callable[[Case, random.Random, str], Iterator[Mutant]]
"""Yields mutants of a gold that takes more than its text to understand (options in the metadata, calls, programs), the
gold itself among them as family `identity` when mutants are whole responses. The last argument is the frame."""


def certified(
    gold: Exact, text: str, cls: str, family: str, relation: Relation, *, convention: str = ""
) -> Iterator[Mutant]:
    """Yield the mutant if reading its text back proves the relation; nothing otherwise.

    The proof never trusts the construction: the text itself is parsed, and the difference of both values is zero, or
    it is not.
    """
    value = parse_exact(text, grouped=True)
    if value is None or len(text) > _MAX_TEXT:
        return
    difference = value - gold
    if (relation == "equal") == bool(difference.terms):
        return
    argument = f"{value} = {gold}" if relation == "equal" else f"({value}) - ({gold}) = {difference} != 0"
    yield Mutant(text, cls, family, Certificate(relation, "exact", argument, convention))


def retyped(gold: str, value: Exact, cls: str) -> Iterator[Mutant]:
    """Yield wrong answers that differ from the gold in one character or number of its own text."""
    for i, c in enumerate(gold):
        if c in "+-" and i > 0:
            text = gold[:i] + ("-" if c == "+" else "+") + gold[i + 1 :]
            yield from certified(value, text, cls, "operator", "different")
    for found in re.finditer(r"(\d+)(?=!)|(?<=\^\{)(\d+)(?=\})", gold):
        text = gold[: found.start()] + str(int(found.group()) + 1) + gold[found.end() :]
        yield from certified(value, text, cls, "exponent-or-factorial", "different")


def claimed(
    text: str,
    cls: str,
    family: str,
    relation: Relation,
    method: str,
    argument: str,
    *,
    convention: str = "",
    whole: bool = False,
) -> Mutant:
    """Return a mutant whose proof is an argument of its own, such as the letters of a word."""
    return Mutant(text, cls, family, Certificate(relation, method, argument, convention), whole)
