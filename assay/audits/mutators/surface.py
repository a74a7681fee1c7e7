r"""Rewrites that change the layout of any LaTeX gold and nothing else: for golds that no class can read."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from assay.audits.mutators.base import Mutant, claimed

_MATHS = re.compile(r"[\d\\^_=+]")
_PROSE = re.compile(r"[A-Za-z]{3,}\s+[A-Za-z]{2,}")
_FRAC = re.compile(r"\\frac(?![a-zA-Z])")


def surface_mutants(gold: str, rng: random.Random) -> Iterator[Mutant]:
    """Yield layout-only rewrites of a gold that looks like mathematics."""
    text = gold.strip()
    if not text or not _MATHS.search(text) or "\n" in text or len(text) > 300:
        return
    rewrites = {"outer-space": f" {text} "}
    if "$" not in text and not _PROSE.search(re.sub(r"\\[a-zA-Z]+(\{[^{}]*\})?", "", text)):
        rewrites["dollars"] = f"${text}$"
    if _FRAC.search(text):
        rewrites["dfrac"] = _FRAC.sub(r"\\dfrac", text)
        rewrites["tfrac"] = _FRAC.sub(r"\\tfrac", text)
    if r"\left" not in text and r"\right" not in text and text.count("(") == text.count(")") == 1:
        rewrites["left-right"] = text.replace("(", r"\left(").replace(")", r"\right)")
    if r"\left(" in text and r"\right)" in text and text.count(r"\left") == text.count(r"\right"):
        rewrites["no-left-right"] = re.sub(r"\\(?:left|right)(?=[()\[\]])", "", text)
    if not re.search(r"\\(?:text|mathrm|mbox|operatorname|begin)", text):
        spaced = re.sub(r"(?<=[\w})])\s*([=+])\s*(?=[\w\\({])", r" \1 ", text)
        rewrites["operator-space"] = spaced
    for family, rewritten in rewrites.items():
        if rewritten != gold:
            argument = "only spaces and layout commands differ"
            yield claimed(rewritten, "other", family, "equal", "layout", argument)
