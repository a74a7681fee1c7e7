"""A small HTML reader: well-formed, server-rendered pages to a tree of `Element`s.

It reads what servers render, at many times the speed of a general parser: end tags close the nearest open element of
their name, `<p>`, `<li>`, `<tr>`, `<td>` and `<option>` close their like, comments and the doctype are skipped, scripts
and styles are raw text. What browsers do to repair broken documents beyond that is not done here. No input raises.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape

from assay.envs.web.page.dom import FIELDS, VOID, Element, settle

_TOKEN = re.compile(
    r"<!--.*?-->|<![^>]*>"
    r"|</(?P<end>[a-zA-Z][^\s/>]*)[^>]*>"
    r"|<(?P<start>[a-zA-Z][^\s/>]*)(?P<attributes>(?:[^>\"']|\"[^\"]*\"|'[^']*')*)>"
    r"|(?P<text>[^<]+|<)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=/\"'>]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_RAW = frozenset({"script", "style"})
_CLOSES = {"p": "p", "li": "li", "tr": "tr", "td": "td", "th": "th", "option": "option"}


def parse(html: str) -> Element:
    """Return the root: an element `#document` with everything in it."""
    root = Element("#document")
    fields: list[Element] = []
    at, position, end = root, 0, len(html)
    while position < end:
        match = _TOKEN.match(html, position)
        if match is None:  # a `<` that begins nothing, or a tag that never ends
            at.children.append(html[position])
            position += 1
            continue
        position = match.end()
        if match["text"] is not None:
            text = match["text"]
            if not text.isspace():
                at.children.append(unescape(text) if "&" in text else text)
        elif match["start"] is not None:
            tag = match["start"].lower()
            if _CLOSES.get(tag) == at.tag and at.parent is not None:
                at = at.parent
            element = Element(tag, _attributes(match["attributes"]), parent=at)
            at.children.append(element)
            if tag in FIELDS:
                fields.append(element)
            if tag in _RAW:
                closing = re.compile(rf"</{tag}\s*>", re.IGNORECASE).search(html, position)
                position = closing.end() if closing else end
            elif tag not in VOID:
                at = element
        elif match["end"] is not None:
            at = _close(at, match["end"].lower())
    settle(fields)
    return root


@lru_cache(maxsize=4096)
def _attributes(text: str) -> dict[str, str]:
    """Read attributes. The result is shared between elements: nothing changes it."""
    if not text:
        return {}
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(text):
        value = double or single or bare
        found.setdefault(name.lower(), unescape(value) if "&" in value else value)
    return found


def _close(at: Element, tag: str) -> Element:
    """Return where the text goes on after an end tag; one that closes nothing is skipped."""
    opener: Element | None = at
    while opener is not None and opener.tag != tag:
        opener = opener.parent
    return at if opener is None or opener.parent is None else opener.parent
