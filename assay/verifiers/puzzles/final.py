"""The answer form of the procedural puzzles: the text ends in `#` and the answer, such as `3+7;10;#10`.

Only what follows the *last* `#` counts, and it must be the whole rest of the text, so an answer can be neither
hedged nor hidden among others.
"""

from __future__ import annotations


def final_text(text: str, *, plain: bool = False) -> str | None:
    """Return what follows the last `#`, or None without one. `plain`: then the whole text is the answer."""
    _, mark, answer = text.rpartition("#")
    return answer.strip() if mark or (plain and answer.strip()) else None
