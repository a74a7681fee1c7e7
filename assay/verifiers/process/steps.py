"""Cutting a response into steps without losing a character.

Invariant: the steps, joined, are the text. A separator belongs to the step that it ends; text without words belongs
to a neighbour, so no step is blank. The number of steps is capped (the rest joins the last one), since more steps
deflate a product and inflate a mean.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from assay.core.errors import ConfigError

Splitter = Literal["paragraph", "line", "numbered"]

_BOUNDARIES: dict[str, re.Pattern[str]] = {
    # The position after the match starts a new step.
    "paragraph": re.compile(r"\n[ \t]*\n"),
    "line": re.compile(r"\n"),
    "numbered": re.compile(r"(?:^|\n)(?=[ \t]{0,8}(?:\*\*|#{1,4} )?(?:step\s?\d{1,4}\b|\d{1,4}[.)]\s))", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `text[start:end]`."""

    start: int
    end: int
    text: str


def split_steps(text: str, splitter: Splitter | str = "paragraph", *, max_steps: int = 128) -> list[Step]:
    """Cut a text into steps.

    `splitter` is `paragraph` (blank lines), `line`, `numbered` ("Step 3", "3."), or `tag:TEXT`, which cuts after every
    occurrence of TEXT. A text without a visible character has no steps.
    """
    if max_steps < 1:
        raise ConfigError(f"max_steps must be at least 1, not {max_steps}")
    if not text.strip():
        return []
    starts = [0]
    for boundary in _pattern(splitter).finditer(text):
        piece = text[starts[-1] : boundary.end()]
        if piece.strip() and text[boundary.end() :].strip() and len(starts) < max_steps:
            starts.append(boundary.end())
    ends = [*starts[1:], len(text)]
    return [Step(start, end, text[start:end]) for start, end in zip(starts, ends, strict=True)]


def check_splitter(splitter: str) -> str:
    """Return the splitter, or raise a `ConfigError` that lists the known ones."""
    _pattern(splitter)
    return splitter


def _pattern(splitter: str) -> re.Pattern[str]:
    if splitter.startswith("tag:") and len(splitter) > len("tag:"):
        return re.compile(re.escape(splitter.removeprefix("tag:")))
    if splitter not in _BOUNDARIES:
        raise ConfigError(f"unknown splitter {splitter!r}; use one of {', '.join(_BOUNDARIES)}, tag:TEXT")
    return _BOUNDARIES[splitter]
