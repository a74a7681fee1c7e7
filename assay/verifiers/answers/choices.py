"""Multiple-choice answers as they are written: `(C)`, `c)`, `Option C`, and a letter with what it stands for."""

from __future__ import annotations

import re

LETTERS = frozenset("ABCDEFGH")
_LETTER = re.compile(
    r"(?:\\(?:text|math(?:rm|bf)) ?\{)? ?(?:(?:[Oo]ption|[Cc]hoice|[Aa]nswer) )?"
    r"(?:\((?P<bracketed>[A-H])\)|(?P<open>[A-Ha-h])\)|(?<=[en] )(?P<named>[A-H])) ?\}?\.?"
)
_WITH_MEANING = re.compile(
    r"(?:\\(?:text|math(?:rm|bf)) ?\{)? ?(?:\((?P<bracketed>[A-H])\)|(?P<open>[A-H])(?:\)|\. )) ?\}?[ :.]*"
    r"(?P<meaning>(?![-+*/^_=<>,;:)]|\\[^a-z]).+)",
    re.DOTALL,
)

_IN_TEXT = re.compile(r"\\(?:text|math(?:rm|bf)) ?\{([^{}]*)\}")


def letter(text: str) -> str | None:
    """Return the letter that the whole text names, or None."""
    match = _LETTER.fullmatch(text)
    if match is None:
        return None
    return str(match["bracketed"] or match["open"] or match["named"]).upper()


def letter_with_meaning(text: str) -> tuple[str, str] | None:
    """Return the letter and the text after it, as in `(C) 12`, or None."""
    inside = _IN_TEXT.fullmatch(text)
    match = _WITH_MEANING.fullmatch(inside.group(1) if inside else text)
    if match is None:
        return None
    return str(match["bracketed"] or match["open"]), match["meaning"]
