"""Rewritings of one line: `a + b` as `b + a`, `a < b` as `b > a`, `x += 1` as `x = x + 1`.

They mean the same for numbers and not for everything; tests decide.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from assay.verifiers.code.mutants.edits import Edit, Source, Variant

_COMMUTATIVE = ast.Add | ast.Mult | ast.BitAnd | ast.BitOr | ast.BitXor
_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq,
}  # fmt: skip


def rewritings(source: str) -> Iterator[Variant]:
    """Yield the rewritings of a program in the order of its text. ValueError when it is no Python."""
    program = Source(source)
    for node in ast.walk(program.tree):
        edit = _rewriting(program, node)
        variant = program.apply(edit) if edit is not None else None
        if variant is not None:
            yield variant


def _rewriting(program: Source, node: ast.AST) -> Edit | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, _COMMUTATIVE):
        return program.edit(node, f"({ast.unparse(ast.BinOp(node.right, node.op, node.left))})", "commute")
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _MIRRORED:
        mirrored = ast.Compare(node.comparators[0], [_MIRRORED[type(node.ops[0])]()], [node.left])
        return program.edit(node, f"({ast.unparse(mirrored)})", "mirror")
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        name = node.target.id
        longer = ast.Assign(
            [ast.Name(name, ast.Store())], ast.BinOp(ast.Name(name, ast.Load()), node.op, node.value), lineno=0
        )
        return program.edit(node, ast.unparse(longer), "spell out")
    if isinstance(node, ast.BoolOp) and len(node.values) == 2:
        return program.edit(node, f"({ast.unparse(ast.BoolOp(node.op, node.values[::-1]))})", "commute")
    return None
