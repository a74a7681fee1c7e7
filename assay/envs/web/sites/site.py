"""The contract of a site: its tables, its pages, and the errands that people run on it.

A site is a stateless set of handlers, `@get("/")` and `@post("/order")`, over the database of an episode. Invariants:
only `post` handlers write; what a visitor may not do raises `ToolError` and becomes an error page; every errand ends in
a write or in an answer, so doing nothing never runs one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeVar
from urllib.parse import urlencode

import numpy as np

from assay.core.errors import ToolError
from assay.envs.database import Database, Rows, Value
from assay.envs.web.sites.blocks import Field, Form, Link, Links, Record, Records, Redirect, View
from assay.envs.web.sites.theme import Theme

ACROSS = 4
"""The level whose errands lead over two sites (`sites.trips`)."""
PAGE_SIZE = 6
"""Rows of a list on one page."""
MAX_ID = 2**62


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, and where it happens."""

    database: Database
    theme: Theme
    values: Mapping[str, str]
    """The query of a `get`, the form of a `post`."""

    def say(self, key: str) -> str:
        """Return the theme's word for a label."""
        return self.theme.say(key)

    def text(self, name: str, *, longest: int = 500) -> str:
        """Return a field that must be filled in."""
        value = self.values.get(name, "").replace("\r\n", "\n").strip()
        if not value or len(value) > longest:
            raise ToolError(f"{name}: please fill this in" if not value else f"{name}: at most {longest} characters")
        return value

    def number(self, name: str, low: int = 0, high: int = MAX_ID) -> int:
        """Return a field that must be a whole number."""
        value = self.values.get(name, "").strip()
        if not value.isascii() or not value.isdigit() or len(value) > 19 or not low <= int(value) <= high:
            limits = "" if high == MAX_ID else f" from {low} to {high}"
            raise ToolError(f"{name}: a whole number{limits}, please")
        return int(value)

    def choice(self, name: str, options: Sequence[str]) -> str:
        """Return a field that must be one of the options."""
        value = self.values.get(name, "")
        if value not in options:
            raise ToolError(f"{name}: please choose one of {', '.join(options)}")
        return value


Handler = Callable[..., View | Redirect]
H = TypeVar("H", bound=Handler)


def get(path: str) -> Callable[[H], H]:
    """Mark a method as the page at a path, such as `/item/{number:int}`."""
    return _route("GET", path)


def post(path: str) -> Callable[[H], H]:
    """Mark a method as what takes the forms sent to a path."""
    return _route("POST", path)


def _route(method: str, path: str) -> Callable[[H], H]:
    def mark(handler: H) -> H:
        handler.route = (method, path)  # type: ignore[attr-defined]
        return handler

    return mark


Row = Sequence[Value]
"""A row of a table, in the order of its columns."""
Action = Literal["click", "type", "choose", "tick", "goto"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a person does, in terms of what the page shows."""

    action: Action
    name: str
    """Label of the element, or the path to go to."""
    value: str = ""
    near: str = ""
    """A text that stands in the same row."""


Writes = tuple[tuple[str, tuple[Value, ...]], ...]
"""SQL with its values, in order."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Something to do on a site."""

    kind: str
    wish: str
    """What is asked of the agent."""
    steps: tuple[Step, ...]
    """How a person does it, from the start page."""
    writes: Writes = ()
    """What it comes to, as SQL: independent of the handlers, so that an oracle run checks both."""
    answer: str | None = None
    """What must be answered."""
    subject: str = ""
    """What it is about; two errands of one task do not share it."""
    prevented: Writes = ()
    """What makes it impossible when it has happened before; empty: nothing of the kind is known."""


class Site(ABC):
    """A family of sites. No two have a table of the same name."""

    name: ClassVar[str]
    schema: ClassVar[str]
    """SQL; `CREATE TABLE name (key ...`."""
    kinds: ClassVar[Mapping[int, tuple[str, ...]]]
    """The kinds of errands by level."""

    @abstractmethod
    def world(self, rng: np.random.Generator, level: int) -> Rows:
        """Return random content. Level 1 is three or four rows with short names."""

    @abstractmethod
    def errand(self, kind: str, rng: np.random.Generator, rows: Rows, theme: Theme) -> Errand | None:
        """Return an errand of a kind, or None when this world has no room for one."""

    def menu(self, theme: Theme) -> Sequence[Link]:
        """Return the links that every page has."""
        return (Link(theme.say("home"), "/"),)


def listing(
    visit: Visit, path: str, columns: Sequence[str], rows: Sequence[Record], *, keep: Mapping[str, str] | None = None
) -> list[Records | Links]:
    """Return one page of a list, and links to the pages around it. `keep` is the rest of the query."""
    page = visit.number("page", 1, 1000) if "page" in visit.values else 1
    shown = rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    links = []
    for label, number, there in (
        ("previous", page - 1, page > 1),
        ("next", page + 1, page * PAGE_SIZE < len(rows)),
    ):
        if there:
            links.append(Link(visit.say(label), f"{path}?{urlencode({**(keep or {}), 'page': number})}"))
    blocks: list[Records | Links] = [Records(columns, shown)]
    return [*blocks, Links(links)] if links else blocks


def search_form(visit: Visit, path: str = "/") -> Form:
    """Return a search form with the words that were searched for."""
    query = Field("q", visit.say("query"), value=visit.values.get("q", ""))
    return Form(path, visit.say("search"), (query,), method="get")


def like(text: str) -> str:
    """Return a pattern that finds a text anywhere, with `ESCAPE '!'`."""
    escaped = text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
