"""`bleu` and `chrf`: overlap with reference translations, through sacrebleu (`pip install 'assay-rl[text]'`).

Scores are divided by 100. `correct` follows a threshold, which has no default, since no value means "right".
"""

from __future__ import annotations

from typing import Any

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.core.verdict import Verdict
from assay.verifiers.text.base import AnswerVerifier, gold_texts
from assay.verifiers.text.extract import Source


class _OverlapVerifier(AnswerVerifier[tuple[str, ...]]):
    """Score = metric / 100 of the answer against all accepted references."""

    tidied = False
    metric: Any

    def __init__(self, *, source: Source, tag: str, threshold: float | None) -> None:
        super().__init__(source=source, tag=tag)
        if threshold is not None and not 0 <= threshold <= 1:
            raise ConfigError(f"threshold is in [0, 1], not {threshold!r}")
        self.threshold = threshold

    def read_gold(self, task: Task) -> tuple[str, ...]:
        """Return the references."""
        return tuple(gold_texts(task.target))

    def read_answer(self, text: str, task: Task) -> tuple[str, ...]:
        """Return the answer."""
        return (text,)

    def same(self, answer: tuple[str, ...], gold: tuple[str, ...]) -> bool:
        """Whether the answer is a reference, word for word."""
        return answer[0] in gold

    def compare(self, value: tuple[str, ...], gold: tuple[str, ...], extracted: str) -> Verdict:
        """Score the sentence."""
        score = min(1.0, max(0.0, self.metric.sentence_score(value[0], list(gold)).score / 100))
        correct = None if self.threshold is None else score >= self.threshold
        return Verdict(score=score, correct=correct, extracted=extracted[:500])


class BleuVerifier(_OverlapVerifier):
    """Sentence BLEU with effective order. `tokenize` as in sacrebleu: 13a, zh, ja-mecab, char, ..."""

    name = "bleu"

    def __init__(
        self, *, source: Source = "answer", tag: str = "answer", threshold: float | None = None, tokenize: str = "13a"
    ) -> None:
        super().__init__(source=source, tag=tag, threshold=threshold)
        try:
            self.metric = _sacrebleu().BLEU(effective_order=True, tokenize=tokenize)
        except (KeyError, ValueError) as error:
            raise ConfigError(f"bleu: unknown tokenizer {tokenize!r} ({error})") from None


class ChrfVerifier(_OverlapVerifier):
    """Sentence chrF, or chrF++ with `word_order=2`."""

    name = "chrf"

    def __init__(
        self, *, source: Source = "answer", tag: str = "answer", threshold: float | None = None, word_order: int = 0
    ) -> None:
        super().__init__(source=source, tag=tag, threshold=threshold)
        self.metric = _sacrebleu().CHRF(word_order=word_order)


def _sacrebleu() -> Any:
    try:
        import sacrebleu.metrics
    except ImportError:
        raise ConfigError("this verifier needs sacrebleu: pip install 'assay-rl[text]'") from None
    return sacrebleu.metrics
