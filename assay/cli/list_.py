"""`assay list`: what can be used by name."""

from __future__ import annotations

import inspect
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from assay.cli.catalogue import SECTIONS, Named
from assay.cli.common import out
from assay.core.errors import AssayError, UnknownNameError


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("list")(list_names)


def list_names(
    kind: Annotated[str, typer.Argument(help="environments, verifiers, advantages or losses; all if left out.")] = "",
) -> None:
    """List environments, verifiers, advantages and losses, those of installed packages included."""
    if kind and kind not in SECTIONS:
        raise UnknownNameError("kind of thing", kind, SECTIONS)
    for title in [kind] if kind else SECTIONS:
        table = Table(title=title, title_justify="left", box=None, show_header=False, pad_edge=False)
        for thing in SECTIONS[title]():
            table.add_row(f"[bold]{thing.name}[/]", _summary(thing))
        out.print(table)
        out.print()


def _summary(thing: Named) -> str:
    """Return the first line of the docstring. What cannot be imported says why."""
    try:
        told = (inspect.getdoc(thing.load()) or "").split("\n")[0]
    except AssayError as error:
        return f"[red]{escape(str(error))}[/]"
    return escape(f"{told} Needs `{thing.settings}`." if thing.settings else told)
