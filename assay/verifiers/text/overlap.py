"""`f1`: exact match and token F1 of question answering.

Tokens are words without case and English articles; a number is one token with its exact value, so 3.5 never equals
35, `1,000` equals `1000`, `-5` differs from `5`, and `50%` from `50`. Languages without spaces count by character.
"""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction

from assay.core.task import Task
from assay.core.verdict import Verdict
from assay.verifiers.text.base import AnswerVerifier, gold_texts
from assay.verifiers.text.rational import MAX_DIGITS

Tokens = tuple[str, ...]

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(
    rf"(?P<number>(?<![\w.])[-−]?(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?(?![\w]|[.,]\d))|[{_CJK}]|[^\W{_CJK}]+|%"
)
_ARTICLES = frozenset({"a", "an", "the"})


def tokenize(text: str) -> Tokens:
    """Return the tokens that are compared."""
    tokens = [_token(match) for match in _TOKEN.finditer(text.casefold())]
    return tuple(t for t in tokens if t not in _ARTICLES) or tuple(tokens)


def _token(match: re.Match[str]) -> str:
    number = match.group("number")
    if number is None or len(number) > MAX_DIGITS:
        return match.group()
    return str(Fraction(number.replace(",", "").replace("−", "-")))


def token_f1(answer: Tokens, gold: Tokens) -> float:
    """Return the harmonic mean of precision and recall of the token multisets; 0 when either is empty."""
    common = sum((Counter(answer) & Counter(gold)).values())
    return 2 * common / (len(answer) + len(gold)) if common else 0.0


class F1Verifier(AnswerVerifier[tuple[Tokens, ...]]):
    """Score = best token F1 over the accepted answers; `correct` means that all tokens match in order."""

    name = "f1"

    def read_gold(self, task: Task) -> tuple[Tokens, ...]:
        """Return the tokens of each accepted answer."""
        return tuple(_some_tokens(text) for text in gold_texts(task.target))

    def read_answer(self, text: str, task: Task) -> tuple[Tokens, ...]:
        """Return the tokens of the answer."""
        return (_some_tokens(text),)

    def same(self, answer: tuple[Tokens, ...], gold: tuple[Tokens, ...]) -> bool:
        """Whether the answer matches an accepted one exactly."""
        return answer[0] in gold

    def compare(self, value: tuple[Tokens, ...], gold: tuple[Tokens, ...], extracted: str) -> Verdict:
        """Return the graded verdict, with parts `exact_match` and `f1`."""
        correct = self.same(value, gold)
        score = max(token_f1(value[0], accepted) for accepted in gold)
        parts = {"exact_match": float(correct), "f1": score}
        return Verdict(score=score, correct=correct, extracted=extracted, parts=parts)


def _some_tokens(text: str) -> Tokens:
    tokens = tokenize(text)
    if not tokens:
        raise ValueError(f"no words in {text[:60]!r}")
    return tokens
