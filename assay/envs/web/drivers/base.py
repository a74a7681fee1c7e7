"""The contract of a driver: opens a site, shows its pages, and does what an agent may do.

Invariants: the actions and the page they show are the same in every driver. What the agent got wrong raises
`ToolError`; what broke raises `Fault`. An agent never leaves the site, and never runs a script.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Literal, get_args
from urllib.parse import urljoin, urlsplit

from assay.core.errors import ToolError
from assay.envs.web.drivers.asgi import App
from assay.envs.web.page.tree import Node, Page

Direction = Literal["up", "down"]
Key = Literal[
    "Enter", "Tab", "Escape", "Backspace", "Delete", "Space", "Home", "End", "PageUp", "PageDown",
    "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight",
]  # fmt: skip
KEYS: tuple[str, ...] = get_args(Key)
MAX_TEXT = 5000
"""Characters that an agent may type at once."""


class Driver(ABC):
    """One agent's view of one site at a time."""

    blocking: bool = False
    """Whether actions wait for another process."""

    @abstractmethod
    def open(self, app: App, path: str = "/") -> None:
        """Begin an episode at a site, with nothing left of the one before."""

    @abstractmethod
    def page(self) -> Page:
        """Return what is shown now."""

    @abstractmethod
    def click(self, number: int) -> None:
        """Click an element: follow a link, send a form, tick a box."""

    @abstractmethod
    def type(self, number: int, text: str) -> None:
        """Replace what a textbox holds."""

    @abstractmethod
    def select(self, number: int, option: str) -> None:
        """Choose an option of a combobox by its text."""

    @abstractmethod
    def scroll(self, direction: Direction) -> None:
        """Scroll by most of a screen. The tree shows the whole page all the same."""

    @abstractmethod
    def goto(self, address: str) -> None:
        """Open an address of this site."""

    @abstractmethod
    def back(self) -> None:
        """Go back to the page before."""

    @abstractmethod
    def close(self) -> None:
        """End the episode and drop everything. Idempotent."""

    def find(self, number: int, *roles: str) -> Node:
        """Return the node with this number and one of these roles; `ToolError` when there is none."""
        node = self.page().node(number)
        if node is None:
            raise ToolError(f"there is no element [{number}] on this page")
        if roles and node.role not in roles:
            raise ToolError(f"[{number}] is a {node.role}, not a {' or '.join(roles)}")
        return node


class ScreenDriver(Driver):
    """A driver with a screen: pictures, points and keys."""

    @abstractmethod
    def screenshot(self) -> bytes:
        """Return the screen as PNG. `Fault` when there is none to be had, never an empty picture."""

    @abstractmethod
    def click_at(self, x: float, y: float) -> None:
        """Click a point of the screen."""

    @abstractmethod
    def drag(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Drag from one point of the screen to another."""

    @abstractmethod
    def write(self, text: str) -> None:
        """Type into what has the focus."""

    @abstractmethod
    def press(self, key: str) -> None:
        """Press one of `KEYS`."""


@lru_cache(maxsize=4096)
def inside(address: str, here: str) -> str:
    """Return the absolute form of an address on the page `here`; `ToolError` when it leads out of the site."""
    try:
        target = urljoin(here, address.strip())
        parts = urlsplit(target)
        origin = urlsplit(here)
    except ValueError:
        raise ToolError(f"not an address: {address[:100]!r}") from None
    if (parts.scheme, parts.netloc) != (origin.scheme, origin.netloc):
        raise ToolError("that address is outside of this site")
    return target


def check_text(text: str) -> str:
    """Return a text that may be typed."""
    if len(text) > MAX_TEXT:
        raise ToolError(f"at most {MAX_TEXT} characters can be typed at once")
    if any((ord(character) < 32 and character != "\n") or 0xD800 <= ord(character) < 0xE000 for character in text):
        raise ToolError("the text has characters that no keyboard types")
    return text


def option_of(node: Node, wanted: str) -> int:
    """Return the index of the option with this text; letter case and outer white space do not count."""
    names = [option.strip().casefold() for option in node.options]
    try:
        return names.index(" ".join(wanted.split()).casefold())
    except ValueError:
        raise ToolError(f"[{node.id}] has no option {wanted[:100]!r}; it has {' | '.join(node.options)}") from None


def describe(node: Node) -> str:
    """Return how a person would name an element: role, name, and for a radio button what it answers."""
    asked = node.group.legend if node.role == "radio" and node.group is not None else ""
    return f'{node.role} "{node.name}"' + (f' of "{asked}"' if asked else "")
