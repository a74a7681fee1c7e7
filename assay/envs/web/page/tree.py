"""The accessibility tree: what a document offers a person who cannot see it, with a number on all that can be used.

A page is a flat list of `Node`s in document order. Nodes of one table row, list item or article share a `Group`, so
that five buttons called `Buy` can be told apart by what stands beside them. Numbers begin at 1 and follow the
document, so the same document has the same numbers whoever read it.

Invariant: names and texts are single lines, so that no content of a page can fake a line of the tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.envs.web.page.dom import FIELDS, Element, one_line

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_GROUPS = {"tr": "row", "li": "item", "article": "article", "fieldset": "group"}
# fmt: off
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "dd", "div", "dl", "dt", "fieldset", "figure",
    "footer", "form", "header", "legend", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody",
    "td", "tfoot", "th", "thead", "tr", "ul",
})
# fmt: on
SKIPPED = frozenset({"head", "title", "script", "style", "template", "noscript", "option"})
_BUTTONS = frozenset({"submit", "button", "reset", "image"})
_HIDING = frozenset({"hidden", "aria-hidden", "style"})
_SIMPLE = {"button": "button", "textarea": "textbox", "select": "combobox"}
_ROLED = HEADINGS | _SIMPLE.keys() | {"a", "input", "img"}
_CHECKS = {"checkbox": "checkbox", "radio": "radio"}
ACTIVE = frozenset({"link", "button", "textbox", "combobox", "checkbox", "radio", "element"})
"""Roles that have a number."""


@dataclass(slots=True, eq=False)
class Group:
    """A row, list item, article or group of fields."""

    role: str
    legend: str = ""
    """What the fields in it ask: the legend of the fieldset around it, or its own."""
    texts: list[str] = field(default_factory=list)
    """The texts in it, and the names of its links, each by itself."""


@dataclass(slots=True, eq=False)
class Node:
    """One thing on the page."""

    role: str
    name: str
    element: Element
    id: int | None = None
    group: Group | None = None
    form: Element | None = None
    """The form that it belongs to."""
    options: tuple[str, ...] = ()
    """Texts of a combobox's options."""

    @property
    def value(self) -> str:
        """What a textbox holds, or the text of a combobox's chosen option."""
        if self.role != "combobox":
            return self.element.value
        chosen = (o.text() for o in self.element.options() if o.option_value() == self.element.value)
        return next(chosen, "")


@dataclass(slots=True)
class Page:
    """What a driver shows: where it is, and what is there."""

    path: str
    title: str
    nodes: list[Node]
    document: Element

    def node(self, number: int) -> Node | None:
        """Return the node with a number."""
        return next((node for node in self.nodes if node.id == number), None)


def read_page(document: Element, path: str, *, everything: bool = False) -> Page:
    """Return the page of a document. With `everything`, elements that only show a text have a number too."""
    reader = _Reader(everything)
    reader.children(document)
    reader.flush()
    for node, label in reader.fields:
        node.name = _field_name(node.element, label, reader.labels)
    return Page(path, reader.title, reader.nodes, document)


class _Reader:
    def __init__(self, everything: bool) -> None:
        self.nodes: list[Node] = []
        self.title = ""
        self.labels: dict[str, str] = {}
        """Texts of labels by the id of their field."""
        self.fields: list[tuple[Node, Element | None]] = []
        """Each with the label around it. They have no names yet: a label may stand behind its field."""
        self._everything = everything
        self._group: Group | None = None
        self._form: Element | None = None
        self._label: Element | None = None
        self._text: list[str] = []
        self._of: Element | None = None
        self._count = 0

    def children(self, element: Element) -> None:
        for child in element.children:
            if isinstance(child, str):
                self._text.append(child)
                self._of = element
            else:
                self.visit(child)

    def visit(self, element: Element) -> None:
        tag = element.tag
        attributes = element.attributes
        if tag in SKIPPED or (attributes and not _HIDING.isdisjoint(attributes) and hidden(element)):
            if tag in ("head", "title"):
                self.title = self.title or next((e.text() for e in element.walk() if e.tag == "title"), "")
            return
        if tag == "label" and "for" in attributes:
            self.labels[attributes["for"]] = element.text()
        role = role_of(element)
        if role == "heading" and self._everything:
            role = "element"
        if role == "element" and any(role_of(inner) not in (None, "element", "heading") for inner in element.walk()):
            role = None  # what can be used inside of it is what matters
        if role is not None:
            self.flush()
            self._add(role, "" if tag in FIELDS else _name(element), element)
        elif tag == "label" and ((named := [e for e in element.walk() if role_of(e)]) or attributes.get("for")):
            self._label = element
            for inner in named:
                self.visit(inner)
            self._label = None
        elif tag in _GROUPS:
            self.flush()
            outer = self._group
            self._group = Group(_GROUPS[tag], _legend(element) if tag == "fieldset" else outer.legend if outer else "")
            self.children(element)
            self.flush()
            self._group = outer
        elif tag in _BLOCKS:
            self.flush()
            around = self._form
            if tag == "form":
                self._form = element
            self.children(element)
            self.flush()
            self._form = around
        else:
            self.children(element)

    def flush(self) -> None:
        """End a run of text."""
        if self._text:
            name = one_line(*self._text)
            self._text.clear()
            if name and self._of is not None:
                self._add("element" if self._everything else "text", name, self._of)

    def _add(self, role: str, name: str, element: Element) -> None:
        node = Node(role, name, element, group=self._group, form=self._form)
        if role in ACTIVE:
            self._count += 1
            node.id = self._count
        if element.tag in FIELDS:
            self.fields.append((node, self._label))
        if role == "combobox":
            node.options = tuple(option.text() for option in element.options())
        if self._group is not None and role in ("text", "element", "link"):
            self._group.texts.append(name)
        self.nodes.append(node)


def role_of(element: Element) -> str | None:
    """Return the role of an element that has one."""
    tag = element.tag
    if tag not in _ROLED:
        return "element" if "clickable" in element.attributes else None
    if tag == "a":
        return "link" if "href" in element.attributes or "clickable" in element.attributes else None
    if tag == "input":
        kind = element.attributes.get("type", "text").lower()
        return None if kind == "hidden" else "button" if kind in _BUTTONS else _CHECKS.get(kind, "textbox")
    if tag in HEADINGS and "clickable" not in element.attributes:
        return "heading"
    if tag == "img":
        return "image" if element.attributes.get("alt") else None
    return _SIMPLE.get(tag) or ("element" if "clickable" in element.attributes else None)


def _legend(fieldset: Element) -> str:
    return next((element.text() for element in fieldset.walk() if element.tag == "legend"), "")


def hidden(element: Element) -> bool:
    """Whether an element says that it is not to be seen."""
    attributes = element.attributes
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    return "display:none" in attributes.get("style", "").replace(" ", "")


def _name(element: Element) -> str:
    """Return the accessible name: aria-label, text, then what an empty element shows instead."""
    attributes = element.attributes
    return (
        one_line(attributes.get("aria-label", ""))
        or element.text()
        or one_line(attributes.get("alt", attributes.get("title", "")))
        or next((e.attributes["alt"] for e in element.walk() if e.tag == "img" and "alt" in e.attributes), "")
    )


def _field_name(element: Element, label: Element | None, labels: Mapping[str, str]) -> str:
    """Return the accessible name of a field: aria-label, label, the label around it, then what an empty one shows."""
    attributes = element.attributes
    if name := one_line(attributes.get("aria-label", "")) or labels.get(attributes.get("id", ""), ""):
        return name
    return (
        (label.text() if label is not None else "")
        or (one_line(attributes.get("value", "")) if attributes.get("type") in _BUTTONS else "")
        or one_line(attributes.get("placeholder", ""))
        or attributes.get("name", "")
    )
