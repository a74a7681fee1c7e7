"""What a process waits for and whether it asks for its asynchronous reset in the way that synthesis wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .words import name_of, nodes_of

_COMPARISONS = {
    "EqualityExpression": True, "CaseEqualityExpression": True,
    "InequalityExpression": False, "CaseInequalityExpression": False,
}  # fmt: skip
_LITERALS = dict.fromkeys(("0", "1'b0", "1'h0", "1'd0"), False) | dict.fromkeys(("1", "1'b1", "1'h1", "1'd1"), True)
_DECIDED_BY = {"LogicalAndExpression": False, "LogicalOrExpression": True}


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


def asks_first(statement: Any, reset: str) -> bool:
    """Whether a process is one `if` already that the reset alone decides."""
    while statement.kind.name == "SequentialBlockStatement":
        items = [item for item in statement.items if item.kind.name != "DataDeclaration"]
        if len(items) != 1:
            return False
        statement = items[0]
    if statement.kind.name != "ConditionalStatement":
        return False
    return all(decided(statement, {reset: level}) is not None for level in (False, True))


def decided(statement: Any, known: Mapping[str, bool]) -> bool | None:
    """Return the branch that an `if` takes when single bits are known, None when that is not enough to say."""
    conditions = nodes_of(statement.predicate.conditions)
    return truth(conditions[0].expr, known) if len(conditions) == 1 else None


def block_names(statement: Any) -> set[str] | None:
    """Return the names of the blocks in a statement, None where one is the way to what the block declares."""
    found: set[str] = set()
    ways: set[str] = set()

    def look(node: Any) -> None:
        if node.kind.name == "NamedBlockClause":
            found.add(node.name.rawText)
        elif node.kind.name == "ScopedName":
            ways.update(part.strip() for part in str(node).split("."))

    statement.visit(look)
    return None if found & ways else found


def truth(condition: Any, known: Mapping[str, bool]) -> bool | None:
    """Return what a condition comes to when single bits are known, None when that is not enough to say."""
    kind = condition.kind.name
    if kind == "ParenthesizedExpression":
        return truth(condition.expression, known)
    if kind == "IdentifierName":
        return known.get(name_of(condition))
    if kind in ("UnaryLogicalNotExpression", "UnaryBitwiseNotExpression"):
        value = truth(condition.operand, known)
        return None if value is None else not value
    if kind in _COMPARISONS:
        value, literal = truth(condition.left, known), _LITERALS.get(str(condition.right).replace(" ", ""))
        return None if value is None or literal is None else (value == literal) is _COMPARISONS[kind]
    if kind in _DECIDED_BY:
        decisive = _DECIDED_BY[kind]
        sides = truth(condition.left, known), truth(condition.right, known)
        return decisive if decisive in sides else None if None in sides else not decisive
    return None


def identifiers(statement: Any) -> set[str]:
    """Return the names that a statement uses."""
    found: set[str] = set()

    def look(node: Any) -> None:
        if node.kind.name == "IdentifierName":
            found.add(name_of(node))

    statement.visit(look)
    return found
