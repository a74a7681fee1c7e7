"""A design compiled, and small readings of its syntax: names, lists, what a pattern gives to items of an array."""

from __future__ import annotations

from typing import Any

import pyslang
from pyslang import ast, parsing


def compiled(tree: Any, top: str) -> Any:
    """Return the compilation of a syntax tree, as lenient as the tools are."""
    options = ast.CompilationOptions()
    options.topModules = {top}
    options.flags = ast.CompilationFlags.AllowUseBeforeDeclare | ast.CompilationFlags.RelaxEnumConversions
    compilation = ast.Compilation(pyslang.Bag([options]))
    compilation.addSyntaxTree(tree)
    return compilation


def name_of(node: Any) -> str:
    """Return the text of what may be a plain name. To write it and throw it away doubles the work by the level."""
    return str(node).strip()


def nodes_of(items: Any) -> list[Any]:
    """Return the items of a list without the commas between them."""
    return [item for item in items if not isinstance(item, parsing.Token)]


def same_for_all(value: Any) -> Any:
    """Return what a pattern sets every item to, None when it is no such pattern."""
    pattern = getattr(value, "pattern", None)
    if pattern is None or len(items := nodes_of(pattern.items)) != 1:
        return None
    if pattern.kind.name == "StructuredAssignmentPattern" and name_of(items[0].key) == "default":
        return items[0].expr
    return items[0] if pattern.kind.name == "ReplicatedAssignmentPattern" else None


def by_index(value: Any, indices: range) -> dict[int, Any]:
    """Return what a pattern sets each item to; empty when it is no pattern that says so for all."""
    pattern = getattr(value, "pattern", None)
    if pattern is None:
        return {}
    items = nodes_of(pattern.items)
    if pattern.kind.name == "SimpleAssignmentPattern":
        return dict(zip(indices, items, strict=False))
    if (default := same_for_all(value)) is not None:
        return dict.fromkeys(indices, default)
    if pattern.kind.name != "StructuredAssignmentPattern":
        return {}
    by_key = {name_of(item.key): item.expr for item in items}
    found = {index: by_key.get(str(index), by_key.get("default")) for index in indices}
    return {} if None in found.values() or not all(key.isdecimal() or key == "default" for key in by_key) else found
