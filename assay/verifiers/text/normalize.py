"""Text normalisation, every step an explicit choice.

The default changes nothing that could carry meaning: Unicode composition (NFC, not NFKC, which would turn x² into
x2), runs of white space, and one final full stop.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_ARTICLES = re.compile(r"\b(?:a|an|the)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Normalizer:
    """What to ignore when two texts are compared."""

    ignore_case: bool = False
    ignore_punctuation: bool = False
    """Punctuation becomes a space, except inside a number and a minus sign in front of one: 3.5 stays 3.5."""
    ignore_articles: bool = False
    """English a, an, the, unless nothing else would be left."""
    ignore_final_period: bool = True

    def __call__(self, text: str) -> str:
        """Return the normalised text."""
        text = unicodedata.normalize("NFC", text).strip()
        if self.ignore_final_period and text.endswith(".") and not text.endswith(".."):
            text = text[:-1]
        if self.ignore_case:
            text = text.casefold()
        if self.ignore_punctuation:
            text = _drop_punctuation(text)
        if self.ignore_articles:
            text = _ARTICLES.sub(" ", text) if _ARTICLES.sub("", text).strip() else text
        return " ".join(text.split())


def _drop_punctuation(text: str) -> str:
    kept = []
    for i, char in enumerate(text):
        if unicodedata.category(char)[0] != "P":
            kept.append(char)
            continue
        before, after = text[i - 1] if i else "", text[i + 1 : i + 2]
        decimal = char in ".," and before.isdigit() and after.isdigit()
        minus = char == "-" and after.isdigit() and not before.isalnum()
        percent = char == "%" and before.isdigit()
        kept.append(char if decimal or minus or percent else " ")
    return "".join(kept)
