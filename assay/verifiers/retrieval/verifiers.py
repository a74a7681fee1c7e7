"""`ndcg`, `citations`, `ranking`: what the agent retrieved, cited, or put in order.

What was retrieved is read from the environment's own record (`evidence.state["retrieved"]`), never from the agent's
text; citations and orders are the agent's answer, a list of identifiers in JSON or separated by commas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, wrong
from assay.verifiers.base import Evidence, Verifier
from assay.verifiers.retrieval.metrics import ndcg, pair_agreement, precision_recall_f1, unique
from assay.verifiers.text.base import AnswerVerifier
from assay.verifiers.text.schema import parse_json

MAX_ITEMS = 1_000


class NdcgVerifier(Verifier):
    """Score = NDCG of what was retrieved; `correct` when every relevant item is among it.

    The target is a list of relevant identifiers, or a mapping from identifier to grade.
    """

    name = "ndcg"

    def __init__(self, *, k: int | None = None, key: str = "retrieved") -> None:
        """`k` cuts the ranking; `key` names the record in the environment's state."""
        if k is not None and k < 1:
            raise ConfigError(f"k must be at least 1, not {k}")
        self.k, self.key = k, key

    def check_target(self, task: Task) -> str | None:
        """Return why the target cannot be read, or None."""
        try:
            _grades(task.target)
        except ValueError as error:
            return str(error)
        return None

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Score the recorded ranking."""
        try:
            grades = _grades(task.target)
        except ValueError as error:
            return no_verdict(f"gold: {error}", status="unparsable")
        ranking = evidence.state.get(self.key)
        if not isinstance(ranking, Sequence) or isinstance(ranking, str):
            return no_verdict(f"the environment recorded no list under {self.key!r}")
        items = unique([str(item) for item in ranking])[: self.k]
        if not items:
            return wrong("nothing was retrieved", status="no_answer")
        relevant = {item for item, grade in grades.items() if grade > 0}
        return Verdict(
            score=min(1.0, ndcg(items, grades, self.k)),
            correct=relevant <= set(items),
            extracted=", ".join(items)[:500],
        )


class CitationVerifier(AnswerVerifier[tuple[str, ...]]):
    """Score = F1 of the cited identifiers, so that citing everything does not pay; `correct` for equal sets."""

    name = "citations"

    def read_gold(self, task: Task) -> tuple[str, ...]:
        """Return the identifiers that must be cited."""
        return tuple(item for item, grade in _grades(task.target).items() if grade > 0)

    def read_answer(self, text: str, task: Task) -> tuple[str, ...]:
        """Return the cited identifiers."""
        return read_items(text)

    def same(self, answer: tuple[str, ...], gold: tuple[str, ...]) -> bool:
        """Whether exactly the right ones are cited."""
        return set(answer) == set(gold)

    def compare(self, value: tuple[str, ...], gold: tuple[str, ...], extracted: str) -> Verdict:
        """Return F1 with precision and recall as parts."""
        precision, recall, f1 = precision_recall_f1(value, gold)
        parts = {"precision": precision, "recall": recall}
        return Verdict(score=f1, correct=self.same(value, gold), extracted=extracted[:500], parts=parts)


class RankingVerifier(CitationVerifier):
    """Score = share of gold pairs in the right order; `correct` when the order is the gold's."""

    name = "ranking"

    def same(self, answer: tuple[str, ...], gold: tuple[str, ...]) -> bool:
        """Whether the order is the gold's, nothing missing, nothing added."""
        return answer == gold

    def compare(self, value: tuple[str, ...], gold: tuple[str, ...], extracted: str) -> Verdict:
        """Return the pair agreement."""
        return Verdict(score=pair_agreement(value, gold), correct=self.same(value, gold), extracted=extracted[:500])


def read_items(text: str) -> tuple[str, ...]:
    """Read identifiers: a JSON list, or items separated by commas, `>` or line ends."""
    text = text.strip()
    if text.startswith("["):
        try:
            value = parse_json(text)
        except ValueError:
            value = [part.strip(" \"'") for part in text.strip("[]").split(",")]
    else:
        value = text.replace(">", ",").replace("\n", ",").split(",")
    if not isinstance(value, list) or len(value) > MAX_ITEMS or any(isinstance(v, list | dict) for v in value):
        raise ValueError("not a list of identifiers")
    items = tuple(unique([str(item).strip() for item in value if str(item).strip()]))
    if not items:
        raise ValueError("the list is empty")
    return items


def _grades(target: Any) -> dict[str, float]:
    """Return item → grade in the order of the target; ValueError when it is no list or mapping, or has no item."""
    if isinstance(target, Mapping):
        grades = {str(item): grade for item, grade in target.items()}
    elif isinstance(target, list | tuple):
        grades = {str(item): 1.0 for item in target}
    else:
        raise ValueError(f"the target must list identifiers, not {type(target).__name__}")
    for item, grade in grades.items():
        if isinstance(grade, bool) or not isinstance(grade, int | float) or not 0 <= grade <= 100 or not item.strip():
            raise ValueError(f"the grade of {item!r} must be a number from 0 to 100")
    if not any(grades.values()):
        raise ValueError("the target names nothing relevant")
    return grades
