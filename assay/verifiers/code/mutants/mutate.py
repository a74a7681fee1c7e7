"""Mutation operators: one small fault each, of the kinds that people make.

Arithmetic, comparison and logic operators, constants, conditions, indices and bounds, calls of the opposite function,
statements left out, values not returned. A mutant may happen to compute the same; only running it against an input on
which it differs shows that it is wrong (`assay.verifiers.code.killable`).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from assay.verifiers.code.mutants.edits import Edit, Source, Variant

_ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.Div: (ast.FloorDiv, ast.Mult),
    ast.FloorDiv: (ast.Div, ast.Mod),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitOr,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
}
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_OPPOSITE = {
    "min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor", "upper": "lower",
    "lower": "upper", "append": "extend", "lstrip": "rstrip", "rstrip": "lstrip", "startswith": "endswith",
    "endswith": "startswith", "isupper": "islower", "islower": "isupper", "isalpha": "isalnum", "find": "rfind",
}  # fmt: skip
_TRANSPARENT = {"sorted", "reversed", "set", "abs", "list", "round", "int"}
"""Functions whose call may be left out: `sorted(xs)` becomes `xs`."""


def mutants(source: str) -> Iterator[Variant]:
    """Yield the mutants of a program in the order of its text, each source once. ValueError when it is no Python."""
    program = Source(source)
    seen = {source}
    for node in _mutable(program.tree):
        for operator in _OPERATORS:
            for edit in operator(program, node):
                variant = program.apply(edit)
                if variant is not None and variant.source not in seen:
                    seen.add(variant.source)
                    yield variant


def _mutable(node: ast.AST) -> Iterator[ast.AST]:
    """Walk in the order of the text, leaving out what cannot break a program or has no reliable position."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.JoinedStr | ast.arguments | ast.Import | ast.ImportFrom):
            continue  # positions inside f-strings are not to be trusted; annotations and imports are no logic
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue  # a docstring
        if isinstance(child, ast.AnnAssign):
            yield from _mutable_value(child)
            continue
        yield child
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in child.body:
                yield from _mutable(ast.Module([statement], []))
        else:
            yield from _mutable(child)


def _mutable_value(node: ast.AnnAssign) -> Iterator[ast.AST]:
    if node.value is not None:
        yield node.value
        yield from _mutable(node.value)


def _arithmetic(program: Source, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp):
        for other in _ARITHMETIC.get(type(node.op), ()):
            yield program.edit(node, _text(ast.BinOp(node.left, other(), node.right)), "arithmetic")
    elif isinstance(node, ast.AugAssign):
        for other in _ARITHMETIC.get(type(node.op), ()):
            yield program.edit(node, ast.unparse(ast.AugAssign(node.target, other(), node.value)), "arithmetic")


def _comparison(program: Source, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.Compare):
        for at, op in enumerate(node.ops):
            for other in _COMPARISONS.get(type(op), ()):
                ops = [*node.ops[:at], other(), *node.ops[at + 1 :]]
                yield program.edit(node, _text(ast.Compare(node.left, ops, node.comparators)), "comparison")


def _logic(program: Source, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield program.edit(node, _text(ast.BoolOp(other, node.values)), "logic")
        for value in node.values:
            yield program.edit(node, _text(value), "logic")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield program.edit(node, _text(node.operand), "logic")


def _constant(program: Source, node: ast.AST) -> Iterator[Edit]:
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield program.edit(node, repr(not value), "constant")
    elif isinstance(value, int | float):
        for other in (value + 1, value - 1, *((0,) if value not in (0, 1) else ())):
            yield program.edit(node, repr(other) if other >= 0 else f"({other!r})", "constant")
    elif isinstance(value, str) and "\n" not in value:
        yield program.edit(node, repr(value + "x") if value else "'x'", "constant")


def _condition(program: Source, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield program.edit(node.test, f"(not {_text(node.test)})", "condition")
    elif isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield program.edit(test, "True", "condition")


def _bounds(program: Source, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        for bound in (node.slice.lower, node.slice.upper):
            if bound is not None and not isinstance(bound, ast.Constant):
                yield program.edit(bound, f"({_text(bound)} + 1)", "bound")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        for argument in node.args[:2]:
            if not isinstance(argument, ast.Constant):
                yield program.edit(argument, f"{_text(argument)} - 1", "bound")
                yield program.edit(argument, f"{_text(argument)} + 1", "bound")


def _call(program: Source, node: ast.AST) -> Iterator[Edit]:
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Name):
        if node.func.id in _OPPOSITE:
            yield program.edit(node.func, _OPPOSITE[node.func.id], "call")
        if node.func.id in _TRANSPARENT and node.args and not isinstance(node.args[0], ast.GeneratorExp | ast.Starred):
            yield program.edit(node, _text(node.args[0]), "call")
    elif isinstance(node.func, ast.Attribute) and node.func.attr in _OPPOSITE:
        changed = ast.Attribute(node.func.value, _OPPOSITE[node.func.attr], ast.Load())
        yield program.edit(node.func, ast.unparse(changed), "call")


def _statement(program: Source, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.Assign | ast.AugAssign) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield program.edit(node, "pass", "delete")
    elif isinstance(node, ast.Break):
        yield program.edit(node, "continue", "flow")
    elif isinstance(node, ast.Continue):
        yield program.edit(node, "break", "flow")
    elif isinstance(node, ast.Return) and node.value is not None:
        yield program.edit(node.value, "None", "return")


def _text(node: ast.expr) -> str:
    """Return the text of an expression that can stand anywhere."""
    text = ast.unparse(node)
    return text if isinstance(node, ast.Name | ast.Constant | ast.Call | ast.Subscript | ast.List) else f"({text})"


_OPERATORS: tuple[Callable[[Source, ast.AST], Iterator[Edit]], ...] = (
    _arithmetic, _comparison, _logic, _constant, _condition, _bounds, _call, _statement,
)  # fmt: skip
