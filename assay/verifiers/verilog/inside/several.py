"""What a design may list and other tools know one by one only: variables of a loop, inputs of a primitive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .processes import identifiers
from .words import name_of, nodes_of

Write = Callable[[Any], str]


def loop_of_several(write: Write, node: Any, body: str) -> str | None:
    """Return a `for` with its first variable in its head and the others around it; None when it has but one.

    None, too, where a variable begins with the value of another: those would have to begin in their order.
    """
    starts, steps = nodes_of(node.initializers), nodes_of(node.steps)
    if not starts or not steps or (len(starts) == 1 and len(steps) == 1):
        return None
    first, *others = starts
    if any(_name(first) in identifiers(start) for start in others):
        return None
    before = "".join(_begun(write, start, first) for start in others)
    after = "".join(f" {write(step)};" for step in steps[1:])
    head = f"{write(first)}; {write(node.stopExpr)}; {write(steps[0])}"
    return f" begin{before} for ({head}) begin {body}{after} end end"


def _begun(write: Write, start: Any, first: Any) -> str:
    """Return the declaration of a variable, of the type of the first one if it names none, or its assignment."""
    if start.kind.name != "ForVariableDeclaration":
        return f" {write(start)};"
    meant, value = start.type or first.type, start.declarator.initializer.expr
    return f" {write(meant)} {_name(start)}; {_name(start)} = {write(value)};"


def _name(start: Any) -> str:
    return str(start.declarator.name.rawText) if start.kind.name == "ForVariableDeclaration" else name_of(start.left)


def table_inputs(node: Any) -> str | None:
    """Return the inputs in the head of a primitive with a keyword for each."""
    if node.parent.kind.name != "AnsiUdpPortList":
        return None
    return ", ".join(f" {node.keyword.rawText} {name_of(name)}" for name in nodes_of(node.names))
