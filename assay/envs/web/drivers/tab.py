"""Tab: one page of a browser, whose every request is answered in process.

The page talks to the site of its episode and to nothing else: requests are stopped inside the browser (the DevTools
domain `Fetch`) and answered by the ASGI application, redirects too, so there is no server and no port. A request to any
other origin is refused; one that would lead the page away leaves it where it is.

All methods run on the browser's event loop. None has a time limit of its own: whoever runs them sets one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError

from assay.core.errors import Fault, ToolError
from assay.envs.web.drivers.asgi import App, request
from assay.envs.web.page.dom import Element

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, CDPSession, JSHandle, Page

T = TypeVar("T")
Point = tuple[float, float]
_SNAPSHOT = files("assay.envs.web.drivers").joinpath("snapshot.js").read_text()
_POINT = """(s, i) => {
  const e = s.elements[i];
  const seen = () => [...e.getClientRects()].find((r) => r.width > 0 && r.height > 0);
  let r = e.isConnected && seen();
  if (!r) return null;
  const x = () => r.left + r.width / 2, y = () => r.top + r.height / 2;
  if (x() < 0 || y() < 0 || x() >= innerWidth || y() >= innerHeight) {
    e.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
    r = seen();
  }
  return [x(), y()];
}"""
_FOCUS = """(s, i) => {
  const e = s.elements[i];
  e.scrollIntoView({block: "nearest", behavior: "instant"});
  e.focus();
  if (e.select) e.select();
}"""
_SELECT = """(s, [i, option]) => {
  const e = s.elements[i];
  e.selectedIndex = option;
  e.dispatchEvent(new Event("input", {bubbles: true}));
  e.dispatchEvent(new Event("change", {bubbles: true}));
}"""
_PAUSE = 0.05
_MOVED = ("navigated or closed", "context was destroyed", "Cannot find context", "interrupted by another navigation")
"""What the browser says when a page went elsewhere while it was asked something."""


@dataclass(slots=True, eq=False)
class Tab:
    """A context of its own and the one page in it."""

    context: BrowserContext
    page: Page
    cdp: CDPSession
    app: App | None = None
    origin: str = ""
    uses: int = 0
    """Episodes so far."""
    snapshot: JSHandle | None = None
    failure: Fault | None = None
    """Why the site could not answer."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set unless the page is on its way to another one."""

    def __post_init__(self) -> None:
        """Listen to where the page goes."""
        self.arrived.set()
        self.cdp.on("Fetch.requestPaused", lambda event: asyncio.ensure_future(self._answer(event)))
        self.cdp.on("Page.frameRequestedNavigation", lambda event: self._leaving(event))
        for event in ("Page.domContentEventFired", "Page.navigatedWithinDocument", "Page.frameStoppedLoading"):
            self.cdp.on(event, lambda _: self.arrived.set())
        self.page.on("close", lambda _: self._gone())
        self.page.on("crash", lambda _: self._gone())
        self.context.on("page", lambda page: asyncio.ensure_future(_close_quietly(page)))

    @classmethod
    async def create(cls, browser: Browser, width: int, height: int) -> Tab:
        """Open a tab in a context of its own."""
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            service_workers="block",
            accept_downloads=False,
            reduced_motion="reduce",
        )
        context.set_default_timeout(0)
        await context.add_init_script("if (window === window.top) window.name = '';")  # it would survive the site
        page = await context.new_page()
        tab = cls(context, page, await context.new_cdp_session(page))
        await tab.cdp.send("Page.enable")
        await tab.cdp.send("Fetch.enable", {"patterns": [{"urlPattern": "*"}]})
        return tab

    # -- episodes ---------------------------------------------------------------------------------------------

    async def open(self, app: App, path: str, host: str) -> None:
        """Begin an episode at a site that the tab has not seen, with no history and nothing stored."""
        if self.origin:
            await self._forget()
        self.app, self.origin, self.failure, self.snapshot = app, f"http://{host}", None, None
        self.uses += 1
        await self.go(f"{self.origin}{path}")
        await self.cdp.send("Page.resetNavigationHistory")

    async def leave(self) -> None:
        """End the episode: show nothing, keep nothing."""
        self.app, self.snapshot = None, None
        await self.page.goto("about:blank")
        await self._forget()

    @property
    def alive(self) -> bool:
        """Whether the page and its browser are there, as far as is known."""
        browser = self.context.browser
        return not self.page.is_closed() and browser is not None and browser.is_connected()

    async def _forget(self) -> None:
        """Delete what the site stored. A cookie may be set for all hosts of a name, so hosts of their own do not do."""
        storage = {"origin": self.origin, "storageTypes": "all"}
        await asyncio.gather(self.context.clear_cookies(), self.cdp.send("Storage.clearDataForOrigin", storage))

    async def close(self) -> None:
        """Close the context and all that is in it."""
        await self.context.close()

    # -- what an agent does -----------------------------------------------------------------------------------

    async def go(self, url: str) -> None:
        """Open an address."""
        try:
            await self.page.goto(url, wait_until="domcontentloaded")
        except PlaywrightError as error:
            if not _moved(error):  # a page may send its visitor on before it is complete
                raise
        await self.settle()

    async def back(self) -> None:
        """Go back; `ToolError` on the first page."""
        history = await self.cdp.send("Page.getNavigationHistory")
        if history["currentIndex"] == 0:
            raise ToolError("there is no page before this one")
        await self.page.go_back(wait_until="domcontentloaded")
        await self.settle()

    async def click(self, index: int) -> None:
        """Click the middle of an element with the mouse, as a person would."""
        point = await self._use(_POINT, index)
        if point is None:
            raise ToolError("that element cannot be seen on the page now")
        await self.click_at((point[0], point[1]))

    async def click_at(self, point: Point) -> None:
        """Click a point of the screen."""
        await self.page.mouse.click(*point)
        await self.settle()

    async def drag(self, start: Point, end: Point) -> None:
        """Press the mouse at one point and let it go at another."""
        await self.page.mouse.move(*start)
        await self.page.mouse.down()
        await self.page.mouse.move(*end, steps=5)
        await self.page.mouse.up()
        await self.settle()

    async def fill(self, index: int, text: str) -> None:
        """Replace what a textbox holds."""
        await self._use(_FOCUS, index)
        if text:
            await self.page.keyboard.insert_text(text)
        else:
            await self.page.keyboard.press("Delete")
        await self.settle()

    async def write(self, text: str) -> None:
        """Type into what has the focus."""
        await self.page.keyboard.insert_text(text)
        await self.settle()

    async def press(self, key: str) -> None:
        """Press a key."""
        await self.page.keyboard.press(key)
        await self.settle()

    async def select(self, index: int, option: int) -> None:
        """Choose an option of a combobox."""
        await self._use(_SELECT, [index, option])
        await self.settle()

    async def scroll(self, screens: float) -> None:
        """Scroll by a part of the screen."""
        scroll = "(n) => window.scrollBy({top: n * innerHeight, behavior: 'instant'})"
        await self._steadily(lambda: self.page.evaluate(scroll, screens))

    async def _use(self, script: str, argument: Any) -> Any:
        """Run a script on the elements that were seen last; `ToolError` when they are gone."""
        assert self.snapshot is not None
        try:
            return await self.snapshot.evaluate(script, argument)
        except PlaywrightError as error:
            if _moved(error):
                raise ToolError("the page has changed by itself since it was shown") from error
            raise

    # -- what an agent sees -----------------------------------------------------------------------------------

    async def look(self, *, everything: bool) -> Element:
        """Return the document as it is now."""
        old = self.snapshot
        tree = await self._steadily(lambda: self._snap(everything))
        if old is not None:
            with contextlib.suppress(PlaywrightError):  # a page that is gone took its elements along
                await old.dispose()
        return Element("#document", children=[_element(tree)])

    async def _snap(self, everything: bool) -> list[Any]:
        self.snapshot = await self.page.evaluate_handle(_SNAPSHOT, everything)
        tree: list[Any] = await self.snapshot.evaluate("(s) => s.tree")
        return tree

    async def shoot(self) -> bytes:
        """Return a PNG of the screen."""
        while True:
            try:
                picture = await self.page.screenshot(type="png", animations="disabled", caret="hide")
            except PlaywrightError as error:
                if "capture screenshot" not in str(error) and not _moved(error):
                    raise
            else:
                if picture.startswith(b"\x89PNG"):
                    return picture
            await asyncio.sleep(_PAUSE)  # right after a navigation there may be nothing to capture yet

    async def settle(self) -> None:
        """Wait until the page has arrived where the last action leads."""
        await self._steadily(lambda: self.cdp.send("Runtime.evaluate", {"expression": "1"}))
        await self.arrived.wait()
        if self.failure is not None:
            raise self.failure

    async def _steadily(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return what the page answers; one that goes elsewhere meanwhile is asked again where it arrives.

        A question that reaches the browser while it puts the next page in place is dropped with an error, and how often
        that happens depends on how busy the machine is.
        """
        while True:
            await self.arrived.wait()
            if self.failure is not None:
                raise self.failure
            try:
                return await ask()
            except PlaywrightError as error:
                if not _moved(error):
                    raise
            await asyncio.sleep(_PAUSE)

    # -- the network ------------------------------------------------------------------------------------------

    def _leaving(self, event: dict[str, Any]) -> None:
        if event.get("disposition", "currentTab") == "currentTab" and "targetFrame" not in event:
            self.arrived.clear()

    def _gone(self) -> None:
        """Wake whoever waits for a page that will not come."""
        self.failure = self.failure or Fault("the browser failed: the page is gone")
        self.arrived.set()

    async def _answer(self, event: dict[str, Any]) -> None:
        asked, command = event["request"], {"requestId": event["requestId"]}
        with contextlib.suppress(PlaywrightError):  # the page may be gone before its answer comes
            if self.app is None or not asked["url"].startswith(f"{self.origin}/"):
                await self._refuse(event, command)
                return
            parts = urlsplit(asked["url"])
            try:
                sent = asked.get("postData", "").encode()
                response = request(self.app, asked["method"], parts.path, parts.query, sent, parts.netloc)
            except Exception as error:  # noqa: BLE001 - whatever a site raises is a fault of this episode, not of the loop
                self.failure = Fault(f"the site broke on {asked['method']} {parts.path}: {error!r}")
                await self.cdp.send("Fetch.fulfillRequest", {**command, "responseCode": 500})
                return
            headers = [{"name": name, "value": value} for name, value in response.headers]
            body = base64.b64encode(response.body).decode()
            answer = {"responseCode": response.status, "responseHeaders": headers, "body": body}
            await self.cdp.send("Fetch.fulfillRequest", {**command, **answer})

    async def _refuse(self, event: dict[str, Any], command: dict[str, Any]) -> None:
        if event["resourceType"] == "Document":
            await self.cdp.send("Fetch.fulfillRequest", {**command, "responseCode": 204})
            self.arrived.set()
        else:
            await self.cdp.send("Fetch.failRequest", {**command, "errorReason": "BlockedByClient"})


def _moved(error: PlaywrightError) -> bool:
    return any(words in str(error) for words in _MOVED)


def _element(raw: list[Any]) -> Element:
    tag, attributes, children, value, checked, box, index = raw
    inner = [child if isinstance(child, str) else _element(child) for child in children]
    return Element(tag, attributes, inner, value, checked, index, (box[0], box[1], box[2], box[3]))


async def _close_quietly(page: Page) -> None:
    """Close a window that a page opened."""
    with contextlib.suppress(PlaywrightError):
        if await page.opener() is not None:
            await page.close()
