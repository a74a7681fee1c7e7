"""LaTeX environments: matrices and definitions by cases."""

from __future__ import annotations

from collections.abc import Callable

from assay.verifiers.answers.expressions import ExpressionParser
from assay.verifiers.answers.lexer import AnswerSyntaxError
from assay.verifiers.answers.nodes import Cases, Listing, Matrix, Node, Text

_MATRICES = frozenset(("pmatrix", "bmatrix", "matrix", "vmatrix", "Bmatrix", "Vmatrix", "smallmatrix", "array"))
_SYSTEMS = frozenset(("aligned", "align", "align*", "gathered", "split", "system"))
MAX_ITEMS = 64


class TableParser(ExpressionParser):
    """Parses rows of cells."""

    def environment(self) -> Node:
        """Parse a matrix or a definition by cases."""
        name = self.environment_name()
        if name == "array" and self.accept("{"):
            while not self.accept("}"):
                if self.take().kind == "end":
                    raise self.error("the columns do not end")
        if name in _SYSTEMS:
            self.tokens[self.at :] = [t for t in self.tokens[self.at :] if t.value != "&"]
        if name in _SYSTEMS or name == "cases":
            rows = self.rows(cells=self.clause_or_words)
            if all(len(row) == 1 for row in rows) and len(rows) > 1:
                return Listing(tuple(row[0] for row in rows))
            return Cases(tuple(rows))
        if name not in _MATRICES:
            raise AnswerSyntaxError(f"unknown environment {name!r}")
        rows = self.rows(cells=self.expr)
        if not rows or len({len(row) for row in rows}) != 1:
            raise AnswerSyntaxError("a matrix with uneven rows")
        return Matrix(tuple(rows), determinant=name in ("vmatrix",))

    def environment_name(self) -> str:
        """Parse `{name}`."""
        self.expect("{")
        name = ""
        while not self.accept("}"):
            token = self.take()
            if token.kind == "end" or len(name) > 20:
                raise self.error("an unreadable environment")
            name += token.value
        return name

    def rows(self, cells: Callable[[], Node]) -> list[tuple[Node, ...]]:
        r"""Parse cells between `&` and `\\\\` up to `\\end{...}`."""
        rows: list[tuple[Node, ...]] = []
        row: list[Node] = []
        count = 0
        while not (self.token.kind == "cmd" and self.token.value == "end"):
            if self.accept("row"):
                if row:
                    rows.append(tuple(row))
                row = []
            elif not self.accept("&"):
                row.append(cells())
                count += 1
                if count > MAX_ITEMS:
                    raise self.error("too large a matrix")
        self.at += 1
        self.environment_name()
        if row:
            rows.append(tuple(row))
        return rows

    def clause_or_words(self) -> Node:
        """Parse a cell of a definition by cases: a value, or a condition such as "if x > 0"."""
        if self.token.kind == "text" and self.token.value.lower().strip(" ,") in ("if", "when", "for", "otherwise"):
            words = self.take().value
            if words.lower().startswith("otherwise"):
                return Text("otherwise")
        node = self.clause()
        if self.token.kind == "joint":
            joint = self.take().value
            node = Listing((node, self.clause()), joint)  # type: ignore[arg-type]
        self.accept(",")
        return node
