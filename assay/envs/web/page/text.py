"""Pages as text, in three forms.

`tree`: one thing a line, `link "Inbox" [3]`, what belongs to one row indented under it. `compact`: one row a line,
`Ana Lunch star#3`, for models that read character by character. `html`: the visible document, `<a n=3>Inbox</a>`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Literal, get_args

from assay.envs.web.page.dom import FIELDS, VOID, Element, one_line
from assay.envs.web.page.tree import SKIPPED, Group, Node, Page, hidden

Style = Literal["tree", "compact", "html"]
STYLES: tuple[str, ...] = get_args(Style)


def render(page: Page, style: Style = "tree") -> str:
    """Return the page as text."""
    if style == "html":
        numbers = {node.element: node.id for node in page.nodes if node.id is not None}
        return "".join(_markup(page.document, numbers)).strip()
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
    line = f'{node.role} "{node.name}"' if node.id is None else f'{node.role} "{node.name}" [{node.id}]'
    if node.role in ("textbox", "combobox"):
        line += f' = "{one_line(node.value)}"'
    if node.options:
        line += " of " + " | ".join(node.options)
    if node.role in ("checkbox", "radio"):
        line += " on" if node.element.checked else " off"
    return line


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
        return f"{piece}={one_line(node.value)}"
    if node.role in ("checkbox", "radio"):
        return f"{piece}={'on' if node.element.checked else 'off'}"
    return piece


def _markup(element: Element, numbers: Mapping[Element, int]) -> Iterator[str]:
    """Yield the document without what cannot be seen: tags, numbers, state and texts."""
    for child in element.children:
        if isinstance(child, str):
            yield escape(one_line(child), quote=False)
        elif child.tag == "option" or not (child.tag in SKIPPED or hidden(child)):
            number = numbers.get(child)
            bare = number is None and child.tag in ("html", "body", "div", "span")
            if not bare:
                yield f"\n<{child.tag}{'' if number is None else f' n={number}'}{_state(child)}>"
            yield from () if child.tag == "textarea" else _markup(child, numbers)
            if not bare and child.tag not in VOID:
                yield f"</{child.tag}>"


def _state(element: Element) -> str:
    if element.tag not in FIELDS:
        return ""
    kind = element.attributes.get("type", "")
    if kind in ("checkbox", "radio"):
        return f" type={kind}{' checked' if element.checked else ''}"
    return f' value="{escape(one_line(element.value))}"'
