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

_WITHIN = r"(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*"
_TOKEN = re.compile(
    rf"<(script|style)(?=[\s/>])({_WITHIN})>(?:.*?</\1\s*>|.*)"  # raw text: nothing in it is read
    rf"|<([a-zA-Z][^\s/>]*)({_WITHIN})>([^<]*+)"  # a start tag, and the text after it
    r"|</([a-zA-Z][^\s/>]*)[^>]*+>([^<]*+)"  # an end tag, and the text after it
    r"|<!--.*?-->|<![^>]*+>"
    r"|([^<]++|<)",  # a text; a `<` that begins nothing is one
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"([^\s=/\"'>]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_CLOSES = frozenset({"p", "li", "tr", "td", "th", "option"})


def parse(html: str) -> Element:
    """Return the root: an element `#document` with everything in it."""
    root = Element("#document")
    fields: list[Element] = []
    opened, at = [root], root
    for raw, raw_attributes, start, attributes, after, end, after_end, text in _TOKEN.findall(html):
        if start or raw:
            tag = (start or raw).lower()
            if tag == at.tag and tag in _CLOSES:
                opened.pop()
                at = opened[-1]
            attributes = attributes or raw_attributes
            element = Element(tag, _attributes(attributes) if attributes else {}, [])
            at.children.append(element)
            if tag in FIELDS:
                fields.append(element)
            if start and tag not in VOID:
                opened.append(element)
                at = element
        elif end:
            if end == at.tag:
                opened.pop()
            else:
                _close(opened, end.lower())
            at = opened[-1]
        text = after or after_end or text
        if text and not text.isspace():
            at.children.append(unescape(text) if "&" in text else text)
    settle(fields)
    return root


@lru_cache(maxsize=4096)
def _attributes(text: str) -> dict[str, str]:
    """Read attributes. The result is shared between elements: nothing changes it."""
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(text):
        value = double or single or bare
        found.setdefault(name.lower(), unescape(value) if "&" in value else value)
    return found


def _close(opened: list[Element], tag: str) -> None:
    """Close the innermost open element of this tag and all in it; an end tag that closes nothing is skipped."""
    for depth in range(len(opened) - 1, 0, -1):
        if opened[depth].tag == tag:
            del opened[depth:]
            return
