"""`format`: the whole response has the required shape, and nothing stands before, between or after.

The pattern is matched against all of the response (`fullmatch`), so text behind `</answer>` breaks it. Tags are
checked by scanning, in linear time: each stands exactly once, in order, and holds something.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.core.verdict import Verdict, right, wrong
from assay.verifiers.base import Evidence, Verifier


class FormatVerifier(Verifier):
    """Right when the response is `<tag>...</tag>` for each tag in order, or matches a pattern as a whole."""

    name = "format"

    def __init__(
        self, *, tags: Sequence[str] = (), pattern: str | None = None, strip: bool = True, dotall: bool = True
    ) -> None:
        """Give `tags` or `pattern`. `strip` ignores white space around the response; `dotall` lets `.` match newlines.

        A pattern with nested repetitions can take exponential time on a hostile response: run it isolated
        (`isolated.IsolatedVerifier`), or use tags.
        """
        if bool(tags) == (pattern is not None):
            raise ConfigError("format needs either tags or a pattern")
        if isinstance(tags, str) or not all(re.fullmatch(r"[\w.:-]+", tag) for tag in tags):
            raise ConfigError(f"tags is a list of tag names, not {tags!r}")
        try:
            self._pattern = re.compile(pattern, re.DOTALL if dotall else 0) if pattern is not None else None
        except re.error as error:
            raise ConfigError(f"the pattern is no regular expression: {error}") from None
        self.tags, self.strip = tuple(tags), strip

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Match the final text."""
        text = evidence.text.strip() if self.strip else evidence.text
        if not text:
            return wrong("the response is empty", status="no_answer")
        if self._pattern is not None:
            return right() if self._pattern.fullmatch(text) else wrong("does not match the pattern as a whole")
        problem = check_tags(text, self.tags)
        return wrong(problem) if problem else right()


def check_tags(text: str, tags: Sequence[str]) -> str:
    """Return what is wrong with the tags of a text, or an empty string."""
    position = 0
    for tag in tags:
        opening, closing = f"<{tag}>", f"</{tag}>"
        for mark in (opening, closing):
            if (count := text.count(mark)) != 1:
                return f"{mark} stands {count} times, not once"
        start, end = text.index(opening), text.index(closing)
        if start < position or end < start:
            return f"<{tag}> is out of order"
        if text[position:start].strip():
            return f"text before {opening}"
        if not text[start + len(opening) : end].strip():
            return f"<{tag}> holds nothing"
        position = end + len(closing)
    return "text after the last tag" if text[position:].strip() else ""
