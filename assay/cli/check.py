"""`assay check`: does an environment keep every promise that trainers rely on?"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from assay.cli.common import out, parse_options

_MARKS = {"ok": "[green]ok[/]", "failed": "[bold red]failed[/]", "skipped": "[yellow]skipped[/]"}


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("check")(check)


def check(
    env_id: Annotated[str, typer.Argument(help="Environment id, such as assay/Countdown-v0, or module:Class.")],
    options: Annotated[list[str] | None, typer.Argument(help="Options of the environment, key=value.")] = None,
    episodes: Annotated[int, typer.Option(help="Tasks to try for each check.", min=1)] = 20,
) -> None:
    """Check an environment: Gymnasium's contract and ours. Exit code 1 when a check fails."""
    from assay.core.registry import make
    from assay.envs.check import check_environment

    chosen = parse_options(options or [])
    result = check_environment(lambda **changes: make(env_id, **{**chosen, **changes}), episodes=episodes)
    table = Table(title=env_id, title_justify="left", box=None, show_header=False, pad_edge=False)
    for row in result.checks:
        table.add_row(_MARKS[row.status], row.name, row.detail)
    out.print(table)
    if not result.ok:
        raise typer.Exit(1)
