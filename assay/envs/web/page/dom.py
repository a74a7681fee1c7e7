"""Element: the little of a document tree that both drivers read.

The text driver parses it from HTML (`page.html`) and edits it as an agent fills in forms; the browser driver gets the
same shape from the real page. Everything that is seen is derived from it in one place (`page.tree`).

Invariant: an element knows its children and not its parent. A document has no cycles, so it is freed as soon as the
next page is there, and the garbage collector never walks through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
"""Elements that have no end tag."""
FIELDS = frozenset({"input", "textarea", "select"})
"""Elements that hold what a person fills in."""


@dataclass(slots=True, eq=False)
class Element:
    """One element with its attributes and children."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)
    value: str = ""
    """What a field holds now; for a `<select>` the value of the chosen option."""
    checked: bool = False
    index: int = -1
    """Where a browser keeps the real element."""
    box: tuple[float, float, float, float] | None = None
    """(x1, y1, x2, y2) in pixels of the screen; only a browser knows."""

    def walk(self) -> Iterator[Element]:
        """Yield this element and everything below it in document order."""
        ahead = [self]
        while ahead:
            element = ahead.pop()
            yield element
            if element.children:
                ahead.extend([child for child in reversed(element.children) if not isinstance(child, str)])

    def text(self) -> str:
        """Return all text below, white space collapsed."""
        if len(self.children) == 1 and isinstance(self.children[0], str):
            return one_line(self.children[0])
        return one_line(*self._pieces())

    def options(self) -> list[Element]:
        """Return the options of a `<select>`."""
        return [element for element in self.walk() if element.tag == "option"]

    def option_value(self) -> str:
        """Return what an `<option>` sends: its value, else its text."""
        return self.attributes.get("value", self.text())

    def _pieces(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            else:
                yield from child._pieces()


def one_line(*pieces: str) -> str:
    """Return texts as one line, white space collapsed."""
    return " ".join(" ".join(pieces).split())


def settle(fields: Iterable[Element]) -> None:
    """Set the state that fields start with from the document's attributes."""
    for element in fields:
        if element.tag == "input":
            element.value = element.attributes.get("value", "")
            element.checked = "checked" in element.attributes
        elif element.tag == "textarea":
            element.value = "".join(child for child in element.children if isinstance(child, str)).removeprefix("\n")
        elif element.tag == "select":
            options = element.options()
            chosen = [option for option in options if "selected" in option.attributes] or options[:1]
            element.value = chosen[-1].option_value() if chosen else ""
