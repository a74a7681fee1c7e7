r"""Where the final answer stands in a response.

Invariants: linear time on any input; only the text after the reasoning counts; nothing found is an empty tuple and
never an empty answer. All answers of the strongest form present are returned, so that a verifier can refuse a
response that gives several different ones.

Forms, strongest first: `<answer>...</answer>`, `\boxed{...}`, a stated answer (`The answer is ...`, `Answer: ...`,
`#### ...`; the last one counts), and otherwise the whole text.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

from assay.core.errors import ConfigError

Source = Literal["answer", "tag", "boxed", "stated", "whole"]
"""Which form to read; `answer` takes the strongest one that is there."""

MAX_ANSWER = 10_000
"""Longest answer in characters; a longer one is no answer."""

_STATED = re.compile(
    r"(?:\banswer\b\**[ \t]{0,3}(?:is\b|:|=)(?:[ \t]{0,3}:)?\**|^[ \t]{0,3}####)[ \t]{0,8}([^\n]+)",
    re.IGNORECASE | re.MULTILINE,
)
_WRAPPERS = (("**", "**"), ("`", "`"), ("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"))
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_BOXED = re.compile(r"\\(?:boxed|fbox)\s{0,3}\{")


def check_source(source: str) -> Source:
    """Return the source, or raise a `ConfigError` that lists the known ones."""
    if source not in get_args(Source):
        raise ConfigError(f"unknown answer source {source!r}; use one of {', '.join(get_args(Source))}")
    return source  # type: ignore[return-value]


def after_reasoning(text: str) -> str:
    """Return what follows the last `</think>`; nothing when the reasoning never ended."""
    _, closed, tail = text.rpartition("</think>")
    if closed:
        return tail
    return "" if "<think>" in text else text


def find_answers(text: str, source: Source = "answer", *, tag: str = "answer", tidied: bool = True) -> tuple[str, ...]:
    """Return the final answers that the response gives, in order, without repeats and empty ones.

    They are stripped of white space and, when `tidied` and not `whole`, of what surrounds them in a sentence (`tidy`).
    """
    text = after_reasoning(text)
    if source == "answer":
        found = _tagged(text, tag) or _boxed(text) or _stated(text) or [text]
    elif source == "tag":
        found = _tagged(text, tag)
    elif source == "boxed":
        found = _boxed(text)
    elif source == "stated":
        found = _stated(text)
    else:
        found = [text]
    strip = tidy if tidied and source != "whole" else str.strip
    bare = (strip(answer) for answer in found)
    return tuple(dict.fromkeys(answer for answer in bare if answer and len(answer) <= MAX_ANSWER))


def _tagged(text: str, tag: str) -> list[str]:
    """Return what stands between the tags: from each closing tag back to the nearest opening one."""
    opening, closing = f"<{tag}>", f"</{tag}>"
    found = []
    for piece in text.split(closing)[:-1]:
        _, opened, inside = piece.rpartition(opening)
        if opened:
            found.append(inside)
    return found


def _boxed(text: str) -> list[str]:
    openings = {match.end() - 1: match.end() for match in _BOXED.finditer(text)}
    if not openings:
        return []
    found: list[tuple[int, int]] = []
    stack: list[int] = []
    for match in _BRACES.finditer(text):
        if match.group() == "{":
            stack.append(match.start())
        elif match.group() == "}" and stack:
            start = stack.pop()
            if start in openings:
                found.append((start, match.start()))
    inside, end = [], -1
    for start, stop in sorted(found):
        if stop > end:  # of nested boxes only the outermost says what the answer is
            inside.append(text[openings[start] : stop])
            end = stop
    return inside


def _stated(text: str) -> list[str]:
    return _STATED.findall(text)[-1:]


def tidy(answer: str) -> str:
    """Strip what surrounds an answer in a sentence: markdown emphasis, math delimiters, one final full stop."""
    answer = answer.strip()
    if answer.endswith(".") and not answer.endswith(".."):
        answer = answer[:-1].rstrip()
    for left, right in _WRAPPERS:
        if len(answer) > len(left + right) and answer.startswith(left) and answer.endswith(right):
            answer = answer[len(left) : -len(right)].strip()
    return answer
