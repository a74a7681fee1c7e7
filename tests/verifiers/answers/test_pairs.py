"""One answer in the many notations in use, and answers that look like it: `pairs/*.txt`, a `gold ;; answer` a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.verifiers.answers.verifier import MathVerifier

VERIFIER = MathVerifier(worker=False)


def pairs(name: str) -> list[tuple[str, str]]:
    text = (Path(__file__).parent / "pairs" / name).read_text(encoding="utf-8")
    found = []
    for line in text.splitlines():
        gold, separator, answer = line.partition(" ;; ")
        assert separator, line
        found.append((gold, answer))
    return found


@pytest.mark.parametrize(("gold", "answer"), pairs("same.txt"))
def test_every_notation_of_the_gold_is_accepted(gold: str, answer: str) -> None:
    verdict = VERIFIER.verify_answer(gold, answer)
    assert verdict.correct is True, verdict


@pytest.mark.parametrize(("gold", "answer"), pairs("different.txt"))
def test_what_only_looks_like_the_gold_is_refused(gold: str, answer: str) -> None:
    verdict = VERIFIER.verify_answer(gold, answer)
    assert verdict.correct is not True, verdict
