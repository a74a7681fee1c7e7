"""What a process waits for and whether it asks for its asynchronous reset in the way that synthesis wants."""

from __future__ import annotations

from typing import Any

from .words import name_of


def events(statement: Any) -> list[tuple[str, str]]:
    """Return the edges that a process waits for; empty when it waits for anything else."""
    found: list[tuple[str, str]] = []
    if statement.kind.name != "TimingControlStatement":
        return found

    def look(node: Any) -> None:
        if node.kind.name == "SignalEventExpression":
            found.append((node.edge.rawText, name_of(node.expr)))

    statement.timingControl.visit(look)
    return found if all(edge in ("posedge", "negedge") and name.isidentifier() for edge, name in found) else []


def asks_first(statement: Any) -> bool:
    """Whether a process is one `if` already, or has names that it can have only once."""
    while statement.kind.name == "SequentialBlockStatement" and len(items := list(statement.items)) == 1:
        if statement.blockName is not None:
            break
        statement = items[0]
    names: list[Any] = []
    statement.visit(lambda node: names.append(node) if node.kind.name == "NamedBlockClause" else None)
    return bool(names) or statement.kind.name == "ConditionalStatement"


def identifiers(statement: Any) -> set[str]:
    """Return the names that a statement uses."""
    found: set[str] = set()

    def look(node: Any) -> None:
        if node.kind.name == "IdentifierName":
            found.add(name_of(node))

    statement.visit(look)
    return found
