"""Refactorings: changes that leave what a program computes as it was, whatever its inputs.

Each one holds for every Python program of the shape that it looks for, without knowing types: names of locals, the
branches of an `if`, code that is never reached, a loop over `range` spelt as `while`, a `return` through a variable.
What depends on types (`a + b` is `b + a` for numbers, not for lists) is left to `rewritings`, where tests decide.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from assay.verifiers.code.mutants.edits import Edit, Source, Variant

_UNSAFE = {"locals", "globals", "vars", "eval", "exec", "dir", "super"}
"""A program that uses these may see its own names."""


def refactorings(source: str) -> Iterator[Variant]:
    """Yield programs that compute the same. ValueError when the source is no Python."""
    program = Source(source)
    for node in ast.walk(program.tree):
        for edit in _edits(program, node):
            variant = program.apply(edit)
            if variant is not None:
                yield variant
    if not _sees_its_names(program.tree):
        for function in (n for n in program.tree.body if isinstance(n, ast.FunctionDef)):
            renamed = _rename_locals(program, function)
            if renamed is not None:
                yield renamed


def _edits(program: Source, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.FunctionDef):
        yield from _dead_code(program, node)
    elif isinstance(node, ast.If) and node.orelse and not _is_elif(program, node):
        swapped = ast.If(ast.UnaryOp(ast.Not(), node.test), node.orelse, node.body)
        yield program.edit(node, _indented(program, node, swapped), "swap branches")
    elif isinstance(node, ast.Return) and node.value is not None:
        name = _fresh(program, "outcome")
        lines = [ast.Assign([ast.Name(name, ast.Store())], node.value, lineno=0), ast.Return(ast.Name(name))]
        if _alone(program, node):
            yield program.edit(node, _indented(program, node, *lines), "name the result")
    elif isinstance(node, ast.For):
        yield from _while_loop(program, node)
    elif isinstance(node, ast.IfExp):
        flipped = ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.orelse, node.body)
        yield program.edit(node, f"({ast.unparse(flipped)})", "swap branches")


def _dead_code(program: Source, function: ast.FunctionDef) -> Iterator[Edit]:
    first = function.body[1] if ast.get_docstring(function) and len(function.body) > 1 else function.body[0]
    if isinstance(first, ast.Global | ast.Nonlocal) or not _alone(program, first):
        return
    name = _fresh(program, "unused")
    margin = " " * first.col_offset
    dead = f"if False:\n{margin}    {name} = [0] * 3\n{margin}    return {name}\n{margin}"
    if not any(isinstance(n, ast.Yield | ast.YieldFrom | ast.Await) for n in ast.walk(function)):
        start, _ = program.span(first)
        yield Edit(start, start, dead, "dead code", first.lineno)
        yield Edit(start, start, f"{name} = (1, 2)\n{margin}del {name}\n{margin}", "unused variable", first.lineno)


def _while_loop(program: Source, node: ast.For) -> Iterator[Edit]:
    """Write `for x in xs: body` as a `while` over an iterator: `continue` and `break` mean the same in both."""
    if node.orelse or not _alone(program, node):
        return
    iterator, marker = _fresh(program, "iterator"), _fresh(program, "marker")
    text = f"{iterator} = iter({ast.unparse(node.iter)})\n{marker} = object()\nwhile True:\n    pass"
    tree = ast.parse(text)
    loop = tree.body[2]
    assert isinstance(loop, ast.While)
    item = _fresh(program, "item")
    head = ast.parse(f"{item} = next({iterator}, {marker})\nif {item} is {marker}:\n    break").body
    loop.body = [*head, ast.Assign([node.target], ast.Name(item), lineno=0), *node.body]
    yield program.edit(node, _indented(program, node, *tree.body), "loop")


def _rename_locals(program: Source, function: ast.FunctionDef) -> Variant | None:
    """Rename every local variable that only this function knows; parameters may be passed by name and stay."""
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.Global, ast.Nonlocal, ast.Match)
    nodes = [n for statement in function.body for n in ast.walk(statement)]
    if any(isinstance(n, inner) for n in nodes):
        return None
    parameters = {n.arg for n in ast.walk(function.args) if isinstance(n, ast.arg)}
    taken = {n.id for n in ast.walk(program.tree) if isinstance(n, ast.Name)} | parameters | set(dir(builtins))
    local = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} - parameters
    local -= {
        alias.asname or alias.name for n in nodes if isinstance(n, ast.Import | ast.ImportFrom) for alias in n.names
    }
    local -= {n.name for n in nodes if isinstance(n, ast.ExceptHandler) and n.name}
    local -= {n.name for n in program.tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    local -= {
        n.id for s in program.tree.body if isinstance(s, ast.Assign) for n in s.targets if isinstance(n, ast.Name)
    }
    if not local:
        return None
    names = {}
    for number, old in enumerate(sorted(local)):
        new = f"renamed_{number}"
        while new in taken:
            new += "_"
        names[old] = new
    copy = ast.parse(program.text)
    again = next(n for n in copy.body if isinstance(n, ast.FunctionDef) and n.name == function.name)
    for node in (n for statement in again.body for n in ast.walk(statement)):
        if isinstance(node, ast.Name) and node.id in names:
            node.id = names[node.id]
    return Variant(
        ast.unparse(copy) + "\n", "rename", function.lineno, ", ".join(f"{a} -> {b}" for a, b in names.items())
    )


def _sees_its_names(tree: ast.AST) -> bool:
    return any(isinstance(n, ast.Name) and n.id in _UNSAFE for n in ast.walk(tree))


def _fresh(program: Source, name: str) -> str:
    while name in program.text:
        name += "_"
    return name


def _is_elif(program: Source, node: ast.If) -> bool:
    start, _ = program.span(node)
    return program.text[start : start + 4] == "elif"


def _alone(program: Source, node: ast.stmt) -> bool:
    """Whether the statement begins its line, so that lines may be put before it."""
    start, _ = program.span(node)
    line_start = program.text.rfind("\n", 0, start) + 1
    return not program.text[line_start:start].strip()


def _indented(program: Source, node: ast.stmt, *statements: ast.stmt) -> str:
    """Return statements as text in place of `node`: all lines but the first get its margin."""
    text = "\n".join(ast.unparse(ast.fix_missing_locations(statement)) for statement in statements)
    return text.replace("\n", "\n" + " " * node.col_offset)
