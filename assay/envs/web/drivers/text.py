"""TextDriver: uses a site without a browser, by reading its HTML and sending its forms.

Invariant: it does what a browser does with the same page as far as links, forms, fields and the history go. Scripts
do not run, and every element can be reached, however it looks.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote, urlencode, urljoin, urlsplit

from assay.core.errors import Fault, ToolError
from assay.envs.web.drivers.asgi import App, request
from assay.envs.web.drivers.base import Direction, Driver, check_text, inside, option_of
from assay.envs.web.page.dom import Element
from assay.envs.web.page.html import parse
from assay.envs.web.page.tree import Node, Page, read_page

ORIGIN = "http://site"
_REDIRECTS = 10
_SAFE = "/:@!$&'()*+,;=-._~%?"


class TextDriver(Driver):
    """Pages as they come from the server."""

    def __init__(self) -> None:
        self._app: App | None = None
        self._history: list[str] = []
        """Addresses; going back asks for a page again."""
        self._document: Element | None = None
        self._page: Page | None = None

    def open(self, app: App, path: str = "/") -> None:
        """Begin at a site."""
        self.close()
        self._app = app
        self._visit("GET", urljoin(ORIGIN, path))

    def page(self) -> Page:
        """Return what is shown now."""
        if self._page is None:
            if self._document is None:
                raise Fault("no site is open")
            parts = urlsplit(self._url)
            self._page = read_page(self._document, parts.path + (f"?{parts.query}" if parts.query else ""))
        return self._page

    def click(self, number: int) -> None:
        """Click an element."""
        node = self.find(number)
        element = node.element
        if node.role == "link":
            self._visit("GET", inside(element.attributes["href"], self._url))
        elif node.role == "checkbox":
            element.checked = not element.checked
        elif node.role == "radio":
            self._choose(node)
        elif node.role == "button":
            self._press(node)

    def type(self, number: int, text: str) -> None:
        """Replace what a textbox holds; one that has a single line keeps no line breaks."""
        element = self.find(number, "textbox").element
        element.value = check_text(text) if element.tag == "textarea" else check_text(text).replace("\n", "")

    def select(self, number: int, option: str) -> None:
        """Choose an option."""
        node = self.find(number, "combobox")
        node.element.value = node.element.options()[option_of(node, option)].option_value()

    def scroll(self, direction: Direction) -> None:
        """Do nothing: the whole page is in view."""

    def goto(self, address: str) -> None:
        """Open an address of this site."""
        self._visit("GET", inside(address, self._url))

    def back(self) -> None:
        """Go back to the page before, which is asked for again."""
        if len(self._history) < 2:
            raise ToolError("there is no page before this one")
        self._history.pop()
        self._visit("GET", self._history.pop())

    def close(self) -> None:
        """Forget the site."""
        self._app, self._document, self._page = None, None, None
        self._history.clear()

    @property
    def _url(self) -> str:
        if not self._history:
            raise Fault("no site is open")
        return self._history[-1]

    def _visit(self, method: str, url: str, body: bytes = b"") -> None:
        assert self._app is not None
        for _ in range(_REDIRECTS):
            parts = urlsplit(url)
            response = request(self._app, method, _quoted(parts.path or "/"), _quoted(parts.query), body)
            location = response.header("location")
            if not (300 <= response.status < 400 and location):
                self._history.append(url.partition("#")[0])
                self._document, self._page = parse(response.body.decode("utf-8", "replace")), None
                return
            method, url, body = "GET", inside(location, url), b""
        raise Fault(f"{url} redirects without end")

    def _choose(self, node: Node) -> None:
        """Choose a radio button, and no other of its name in its form."""
        name = node.element.attributes.get("name", "")
        loose = (other.element for other in self.page().nodes if other.form is None)
        for other in node.form.walk() if node.form is not None else loose:
            if other.attributes.get("name") == name and other.attributes.get("type", "").lower() == "radio":
                other.checked = False
        node.element.checked = True

    def _press(self, node: Node) -> None:
        button, form = node.element, node.form
        if form is None or button.attributes.get("type", "submit").lower() not in ("submit", "image"):
            return
        sent = urlencode(_fields(form, button))
        target = inside(form.attributes.get("action", ""), self._url)
        if form.attributes.get("method", "get").lower() == "post":
            self._visit("POST", target, sent.encode())
        else:
            self._visit("GET", urljoin(target, f"?{sent}"))


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    return quote(text, safe=_SAFE)


def _fields(form: Element, button: Element) -> list[tuple[str, str]]:
    """Return what a form sends when this button is pressed."""
    sent = []
    for element in form.walk():
        name, kind = element.attributes.get("name", ""), element.attributes.get("type", "").lower()
        if not name or "disabled" in element.attributes:
            continue
        if element.tag == "input" and kind in ("checkbox", "radio"):
            if element.checked:
                sent.append((name, element.attributes.get("value", "on")))
        elif element.tag == "button" or kind in ("submit", "button", "reset", "image"):
            if element is button:
                sent.append((name, element.attributes.get("value", "")))
        elif element.tag == "textarea":
            sent.append((name, element.value.replace("\n", "\r\n")))
        elif element.tag in ("input", "select"):
            sent.append((name, element.value))
    return sent
