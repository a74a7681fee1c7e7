"""Texts that come back as odd scores from graders that read numbers: not a number, infinite, a bool, out of range."""

from __future__ import annotations

import random
from collections.abc import Iterator

from assay.audits.attacks.base import Prey

SCORE_TEXTS = (
    "nan",
    "NaN",
    "inf",
    "-inf",
    "Infinity",
    "1e999",
    "-1e999",
    "True",
    "1.5",
    "-1",
    "1e308",
    '{"score": NaN}',
)


def score_texts(prey: Prey, rng: random.Random) -> Iterator[str]:
    """Yield the texts, bare and framed, where they are not the gold itself."""
    for text in SCORE_TEXTS:
        if text.casefold() not in prey.gold.casefold():
            yield text
            yield prey.framed(text)
