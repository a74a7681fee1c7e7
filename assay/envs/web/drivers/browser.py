"""BrowserDriver: uses a site with a real browser, which also has a screen.

It shows the same tree as the text driver for the same page, and adds what only a screen has: pictures, points and keys.
A page that hangs or a browser that dies is a `Fault`; the next episode gets a new tab, and if need be a new browser.
"""

from __future__ import annotations

import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import urlsplit

from assay.core.errors import ConfigError, Fault, ToolError
from assay.envs.web.drivers import chrome
from assay.envs.web.drivers.asgi import App
from assay.envs.web.drivers.base import KEYS, Direction, ScreenDriver, check_text, inside, option_of
from assay.envs.web.drivers.tab import Tab
from assay.envs.web.page.tree import Page, read_page

T = TypeVar("T")


class BrowserDriver(ScreenDriver):
    """A tab of the shared browser for each episode.

    Args:
        width: Of the screen in pixels.
        height: Of the screen in pixels.
        seconds: That any one action may take. Generous, because an action on a busy machine takes many times as long as
            on an idle one, and one that is given up costs the episode.
        everything: Whether whatever shows a text or reacts to the mouse has a number, for pages made of scripts.
    """

    blocking = True

    def __init__(self, *, width: int = 800, height: int = 600, seconds: float = 60.0, everything: bool = False) -> None:
        if not (1 <= width <= 4096 and 1 <= height <= 4096):
            raise ConfigError(f"a screen has 1 to 4096 pixels each way, not {width} x {height}")
        if seconds <= 0:
            raise ConfigError(f"seconds must be positive, not {seconds}")
        self.width, self.height, self.seconds, self.everything = width, height, seconds, everything
        self._chrome: chrome.Chrome | None = None
        self._tab: Tab | None = None
        self._page: Page | None = None

    def open(self, app: App, path: str = "/") -> None:
        """Begin an episode in a clean tab."""
        self._chrome, self._page = self._chrome or chrome.join(), None
        if self._tab is not None and not self._tab.alive:
            self._lose()
        if self._tab is not None and self._tab.uses >= chrome.TAB_LIFE:
            self._leave()
        if self._tab is None:
            self._tab = self._chrome.run(self._chrome.tab(self.width, self.height), self.seconds)
        self._do(self._tab.open(app, path, self._chrome.host()))

    def page(self) -> Page:
        """Return what is shown now."""
        if self._page is None:
            document = self._run(self.tab.look(everything=self.everything))
            parts = urlsplit(self.tab.page.url)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            self._page = read_page(document, path, everything=self.everything)
        return self._page

    def screenshot(self) -> bytes:
        """Return the screen as PNG."""
        return self._run(self.tab.shoot())

    def click(self, number: int) -> None:
        """Click an element."""
        node = self.find(number)
        href = node.element.attributes.get("href")
        if node.role == "link" and href is not None and not self.everything:
            inside(href, self.tab.page.url)
        self._do(self.tab.click(node.element.index))

    def type(self, number: int, text: str) -> None:
        """Replace what a textbox holds."""
        element = self.find(number, "textbox").element
        text = check_text(text)
        self._do(self.tab.fill(element.index, text if element.tag == "textarea" else text.replace("\n", "")))

    def select(self, number: int, option: str) -> None:
        """Choose an option."""
        node = self.find(number, "combobox")
        self._do(self.tab.select(node.element.index, option_of(node, option)))

    def scroll(self, direction: Direction) -> None:
        """Scroll by most of a screen."""
        self._do(self.tab.scroll(0.8 if direction == "down" else -0.8))

    def goto(self, address: str) -> None:
        """Open an address of this site."""
        self._do(self.tab.go(inside(address, self.tab.page.url)))

    def back(self) -> None:
        """Go back to the page before."""
        self._do(self.tab.back())

    def script(self, source: str, *arguments: Any) -> Any:
        """Run a JavaScript function in the page and return its result: for environments, never for agents."""
        return self._run(self.tab.page.evaluate(source, *arguments))

    # -- the screen -------------------------------------------------------------------------------------------

    def click_at(self, x: float, y: float) -> None:
        """Click a point of the screen."""
        self._do(self.tab.click_at(self._on_screen(x, y)))

    def drag(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Drag from one point of the screen to another."""
        self._do(self.tab.drag(self._on_screen(x1, y1), self._on_screen(x2, y2)))

    def write(self, text: str) -> None:
        """Type into what has the focus."""
        self._do(self.tab.write(check_text(text)))

    def press(self, key: str) -> None:
        """Press one of `KEYS`."""
        if key not in KEYS:
            raise ToolError(f"there is no key {key[:20]!r}; there are {', '.join(KEYS)}")
        self._do(self.tab.press(key))

    def close(self) -> None:
        """Leave the site, and give the browser up."""
        self._leave()
        if self._chrome is not None:
            self._chrome = None
            chrome.part()

    # -- running on the browser's loop ------------------------------------------------------------------------

    @property
    def tab(self) -> Tab:
        """The tab of the episode; `Fault` when there is none, or it was lost."""
        if self._tab is None:
            raise Fault("no site is open")
        return self._tab

    def _do(self, action: Coroutine[Any, Any, None]) -> None:
        self._page = None
        self._run(action)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._chrome is not None
        try:
            return self._chrome.run(work, self.seconds)
        except Fault:
            self._lose()
            raise

    def _leave(self) -> None:
        """Put the tab back into the pool; one that cannot be cleaned is closed."""
        self._page = None
        if self._chrome is not None and self._tab is not None:
            try:
                self._chrome.run(self._chrome.give_back(self._tab, (self.width, self.height)), chrome.GRACE)
                self._tab = None
            except Fault:
                self._lose()

    def _lose(self) -> None:
        """Close a tab that misbehaved, if that is still possible."""
        tab, self._tab, self._page = self._tab, None, None
        if self._chrome is not None and tab is not None:
            with contextlib.suppress(Fault):  # a browser that is gone took its tabs along
                self._chrome.run(tab.close(), chrome.GRACE)

    def _on_screen(self, x: float, y: float) -> tuple[float, float]:
        if not (0 <= x < self.width and 0 <= y < self.height):
            raise ToolError(f"({x:g}, {y:g}) is not on the screen of {self.width} x {self.height}")
        return x, y
