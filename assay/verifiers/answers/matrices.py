"""Arithmetic of matrices, as far as answers need it: sums, scalar multiples and products, entry by entry."""

from __future__ import annotations

from assay.verifiers.answers.nodes import Add, Expr, Group, Matrix, Mul, Node, negative, plus, times, walk

MAX_ENTRIES = 64
MAX_DETERMINANT = 4


def fold(node: Node) -> Node:
    """Return a sum or product of matrices as one matrix; the node itself when it is none or does not fit."""
    if isinstance(node, Matrix) and node.determinant and len(node.rows) == len(node.rows[0]) <= MAX_DETERMINANT:
        return _determinant(node.rows)
    if not isinstance(node, Add | Mul) or not any(isinstance(part, Matrix) for part in walk(node)):
        return node
    parts = [fold(part) for part in node.children()]
    result = parts[0]
    for part in parts[1:]:
        combined = _sum(result, part) if isinstance(node, Add) else _product(result, part)
        if combined is None:
            return node
        result = combined
    return result


def _determinant(rows: tuple[tuple[Node, ...], ...]) -> Node:
    """Return the determinant, expanded along the first row."""
    if len(rows) == 1:
        return rows[0][0]
    terms = []
    for column, entry in enumerate(rows[0]):
        minor = tuple(row[:column] + row[column + 1 :] for row in rows[1:])
        term = times(entry, _determinant(minor))
        terms.append(negative(term) if column % 2 else term)
    return plus(*terms)


def nested_rows(node: Group) -> tuple[tuple[Node, ...], ...] | None:
    """Return the rows of a matrix written as `[[1, 2], [3, 4]]`, or None."""
    rows = [item.items for item in node.items if isinstance(item, Group) and item.left == node.left == "["]
    if not rows or len(rows) != len(node.items) or len({len(row) for row in rows}) != 1:
        return None
    return tuple(rows)


def _sum(one: Node, two: Node) -> Node | None:
    if not isinstance(one, Matrix) or not isinstance(two, Matrix) or one.determinant or two.determinant:
        return None
    if len(one.rows) != len(two.rows) or len(one.rows[0]) != len(two.rows[0]):
        return None
    pairs = zip(one.rows, two.rows, strict=True)
    return Matrix(tuple(tuple(plus(a, b) for a, b in zip(left, right, strict=True)) for left, right in pairs))


def _product(one: Node, two: Node) -> Node | None:
    if isinstance(one, Matrix) and isinstance(two, Matrix):
        if one.determinant or two.determinant or len(one.rows[0]) != len(two.rows):
            return None
        columns = list(zip(*two.rows, strict=True))
        if len(one.rows) * len(columns) > MAX_ENTRIES:
            return None
        return Matrix(
            tuple(
                tuple(plus(*(times(a, b) for a, b in zip(row, column, strict=True))) for column in columns)
                for row in one.rows
            )
        )
    scalar, matrix = (two, one) if isinstance(one, Matrix) else (one, two)
    if not isinstance(scalar, Expr) or not isinstance(matrix, Matrix):
        return times(one, two)
    if matrix.determinant:
        return None
    return Matrix(tuple(tuple(times(scalar, entry) for entry in row) for row in matrix.rows))
