"""`exact`: the answer is the gold text, after an explicit normalisation."""

from __future__ import annotations

from assay.core.task import Task
from assay.verifiers.text.base import AnswerVerifier, gold_texts
from assay.verifiers.text.extract import Source, tidy
from assay.verifiers.text.normalize import Normalizer


class ExactVerifier(AnswerVerifier[frozenset[str]]):
    """Right when the normalised answer equals the target, or one of a list of targets."""

    name = "exact"

    def __init__(
        self,
        *,
        source: Source = "answer",
        tag: str = "answer",
        ignore_case: bool = False,
        ignore_punctuation: bool = False,
        ignore_articles: bool = False,
        ignore_final_period: bool = True,
    ) -> None:
        super().__init__(source=source, tag=tag)
        self.normalize = Normalizer(ignore_case, ignore_punctuation, ignore_articles, ignore_final_period)

    def read_gold(self, task: Task) -> frozenset[str]:
        """Return the accepted texts, also as an answer reads after tidying."""
        texts = gold_texts(task.target)
        return frozenset(self._read(text) for text in [*texts, *filter(None, map(tidy, texts))])

    def read_answer(self, text: str, task: Task) -> frozenset[str]:
        """Return the answer as a set of one text."""
        return frozenset([self._read(text)])

    def same(self, answer: frozenset[str], gold: frozenset[str]) -> bool:
        """Whether the answer is one of the accepted texts."""
        return answer <= gold

    def _read(self, text: str) -> str:
        normal = self.normalize(text)
        if not normal:
            raise ValueError("nothing is left after normalisation")
        return normal
