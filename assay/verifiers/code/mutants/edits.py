"""Edits of source text at the places that the syntax tree names.

Invariant: a `Variant` parses, and differs from the original outside of its one edit in nothing.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from assay.verifiers.code.extract import parse_python


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `text` where the characters [start, end) of the source are."""

    start: int
    end: int
    text: str
    operator: str
    """What kind of change it is: `comparison`, `constant`, `delete`, ..."""
    line: int
    """Line of the original where the change begins, from 1."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A changed program."""

    source: str
    operator: str
    line: int
    change: str
    """What was put in place of what, on one line."""


class Source:
    """A program, its tree, and the way from the tree's positions (lines and UTF-8 bytes) to characters."""

    def __init__(self, text: str) -> None:
        """ValueError when it is no Python, or too long."""
        self.text = text
        self.tree = parse_python(text)
        self._lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return the characters [start, end) of a node."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)

    def segment(self, node: ast.expr | ast.stmt) -> str:
        """Return the text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def edit(self, node: ast.expr | ast.stmt, text: str, operator: str) -> Edit:
        """Return the edit that replaces a node."""
        start, end = self.span(node)
        return Edit(start, end, text, operator, node.lineno)

    def apply(self, edit: Edit) -> Variant | None:
        """Return the changed program, or None when nothing changed or it does not parse any more."""
        source = self.text[: edit.start] + edit.text + self.text[edit.end :]
        try:
            if ast.dump(parse_python(source)) == ast.dump(self.tree):
                return None
        except ValueError:
            return None
        before = " ".join(self.text[edit.start : edit.end].split())
        return Variant(source, edit.operator, edit.line, f"{before} -> {' '.join(edit.text.split())}")

    def _at(self, line: int, column: int) -> int:
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        return self._starts[line - 1] + len(text.encode()[:column].decode())
