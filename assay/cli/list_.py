"""`assay list`: what can be used by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import gymnasium
import typer
from rich.markup import escape
from rich.table import Table

from assay.cli.common import out
from assay.core.errors import AssayError, UnknownNameError
from assay.core.registry import Registry, environment_ids, load

Row = tuple[str, str]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("list")(list_names)


def list_names(
    kind: Annotated[str, typer.Argument(help="environments, verifiers, advantages or losses; all if left out.")] = "",
) -> None:
    """List environments, verifiers, advantages and losses, those of installed packages included."""
    sections: dict[str, Callable[[], Iterator[Row]]] = {
        "environments": _environments,
        "verifiers": _verifiers,
        "advantages": _advantages,
        "losses": _losses,
    }
    if kind and kind not in sections:
        raise UnknownNameError("kind of thing", kind, sections)
    for title in [kind] if kind else sections:
        table = Table(title=title, title_justify="left", box=None, show_header=False, pad_edge=False)
        for name, summary in sections[title]():
            table.add_row(f"[bold]{name}[/]", summary)
        out.print(table)
        out.print()


def _environments() -> Iterator[Row]:
    for env_id in environment_ids():
        entry = gymnasium.registry[env_id].entry_point
        yield env_id, _summary(entry)


def _verifiers() -> Iterator[Row]:
    from assay.verifiers import VERIFIERS

    yield from _registered(VERIFIERS)


def _advantages() -> Iterator[Row]:
    from assay.trainers.advantages import ADVANTAGES, gae

    yield "gae", f"{_summary(gae)} Needs `algorithm.critic`."
    yield from _registered(ADVANTAGES)


def _losses() -> Iterator[Row]:
    from assay.trainers.losses import LOSSES

    yield from _registered(LOSSES)


def _registered(registry: Registry[Any]) -> Iterator[Row]:
    for name in registry.names():
        try:
            yield name, _summary(registry.factory(name))
        except AssayError as error:
            yield name, f"[red]{error}[/]"


def _summary(thing: Any) -> str:
    """Return the first line of the docstring. An entry point that cannot be imported says why."""
    try:
        target = load(thing) if isinstance(thing, str) else thing
    except AssayError as error:
        return f"[red]{error}[/]"
    return escape((inspect.getdoc(target) or "").split("\n")[0])
