"""What a page of a site is made of. How it looks (table or cards, menus or buttons) is the theme's business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Link:
    """A link."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form. `choice` is a menu or radio buttons, `tick` a box to tick."""

    name: str
    label: str
    kind: Literal["line", "lines", "choice", "tick"] = "line"
    value: str = ""
    options: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """Fields and a button. Without fields it is just a button."""

    action: str
    submit: str
    fields: Sequence[Field] = ()
    hidden: Mapping[str, object] = field(default_factory=dict)
    method: Literal["get", "post"] = "post"


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its cells, and what can be done with it."""

    cells: Sequence[str | int | Link]
    controls: Sequence[Form] = ()


@dataclass(frozen=True, slots=True)
class Records:
    """Rows under column names."""

    columns: Sequence[str]
    rows: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Facts:
    """Pairs of a label and a value."""

    pairs: Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph that people wrote."""

    text: str


@dataclass(frozen=True, slots=True)
class Links:
    """Links in a line, such as pages of a list."""

    links: Sequence[Link]


Block = Form | Records | Facts | Prose | Links


@dataclass(frozen=True, slots=True)
class View:
    """One page."""

    title: str
    blocks: Sequence[Block]
    status: int = 200


@dataclass(frozen=True, slots=True)
class Redirect:
    """The answer to a form that was taken: look there."""

    path: str
