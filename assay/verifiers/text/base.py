"""The common course of verifiers that read one final answer and compare it with a gold value.

A subclass says how to read the gold, how to read an answer, and when two values are the same. The base keeps the
promises: an unreadable gold is no verdict; no answer and an unreadable one are wrong, with their own status; several
different final answers are wrong; two empty values never meet, because empty text is never read as a value.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.verifiers.base import Evidence, Verifier
from assay.verifiers.text.extract import Source, check_source, find_answers

V = TypeVar("V")


class AnswerVerifier(Verifier, Generic[V]):
    """Compares the final answer of a response with the gold."""

    tidied: ClassVar[bool] = True
    """Whether answers lose what surrounds them in a sentence, the final full stop included."""

    def __init__(self, *, source: Source = "answer", tag: str = "answer") -> None:
        """`source` says where the answer stands (see `extract`); `tag` names the tag around it."""
        self.source, self.tag = check_source(source), tag

    @abstractmethod
    def read_gold(self, task: Task) -> V:
        """Return the gold value; ValueError says why it cannot be read."""

    @abstractmethod
    def read_answer(self, text: str, task: Task) -> V:
        """Return the value of an answer; ValueError says why it cannot be read."""

    @abstractmethod
    def same(self, answer: V, gold: V) -> bool:
        """Whether the answer is right."""

    def agree(self, first: V, second: V) -> bool:
        """Whether two answers of one response say the same."""
        return first == second

    def answers(self, evidence: Evidence) -> tuple[str, ...]:
        """Return the final answers of the response."""
        return find_answers(evidence.text, self.source, tag=self.tag, tidied=self.tidied)

    def check_target(self, task: Task) -> str | None:
        """Return why the gold cannot be read, or None."""
        try:
            self.read_gold(task)
        except ValueError as error:
            return str(error)
        return None

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Read, compare, and say what was found."""
        try:
            gold = self.read_gold(task)
        except ValueError as error:
            return no_verdict(f"gold: {error}", status="unparsable")
        answers = self.answers(evidence)
        if not answers:
            return wrong("no answer found", status="no_answer")
        try:
            values = [self.read_answer(answer, task) for answer in answers]
        except ValueError as error:
            return wrong(str(error), status="unparsable", extracted=answers[-1])
        if not all(self.agree(values[0], value) for value in values[1:]):
            return wrong(f"{len(answers)} different final answers", extracted=" | ".join(answers)[:200])
        return self.compare(values[-1], gold, answers[-1])

    def compare(self, value: V, gold: V, extracted: str) -> Verdict:
        """Return the verdict on a value. Override for graded scores."""
        if self.same(value, gold):
            return right(extracted=extracted)
        return wrong("differs from the gold", extracted=extracted)


def gold_texts(target: Any) -> list[str]:
    """Return the accepted texts of a target: a string or number, or a list of those. ValueError for anything else."""
    values = target if isinstance(target, list | tuple) else [target]
    texts = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"the target must be text or a number, or a list of those, not {type(value).__name__}")
        texts.append(str(value))
    if not texts or not all(text.strip() for text in texts):
        raise ValueError("the target is empty")
    return texts
