"""Pages as text, in two densities.

`tree`: one thing a line, `link "Inbox" [3]`, what belongs to one row indented under it. `compact`: one row a line,
`Ana Lunch star#3`, for models that read character by character.
"""

from __future__ import annotations

from typing import Literal

from assay.envs.web.page.tree import Group, Node, Page

Style = Literal["tree", "compact"]


def render(page: Page, style: Style = "tree") -> str:
    """Return the page as text."""
    return _compact(page) if style == "compact" else _tree(page)


def _tree(page: Page) -> str:
    lines = [f'page "{page.title}" at {page.path}']
    group: Group | None = None
    for node in page.nodes:
        if node.group is not group:
            group = node.group
            if group is not None:
                lines.append(group.role)
        lines.append(("  " if group else "") + _line(node))
    return "\n".join(lines)


def _line(node: Node) -> str:
    parts = [node.role, f'"{node.name}"']
    if node.id is not None:
        parts.append(f"[{node.id}]")
    if node.role in ("textbox", "combobox"):
        parts.append(f'= "{_one_line(node.value)}"')
    if node.options:
        parts.append("of " + " | ".join(node.options))
    if node.role in ("checkbox", "radio"):
        parts.append("on" if node.element.checked else "off")
    return " ".join(parts)


def _compact(page: Page) -> str:
    lines: list[list[str]] = []
    group: Group | None = None
    for node in page.nodes:
        if not lines or node.group is None or node.group is not group:
            lines.append([])
        group = node.group
        lines[-1].append(_piece(node))
    return "\n".join(" ".join(pieces) for pieces in lines)


def _piece(node: Node) -> str:
    piece = node.name if node.id is None else f"{node.name}#{node.id}"
    if node.role == "combobox":
        return f"{piece}={node.value}({'/'.join(node.options)})"
    if node.role == "textbox":
        return f"{piece}={_one_line(node.value)}"
    if node.role in ("checkbox", "radio"):
        return f"{piece}={'on' if node.element.checked else 'off'}"
    return piece


def _one_line(text: str) -> str:
    return " ".join(text.split())
