"""`assay compare`: two evaluations of the same tasks, pair by pair."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.common import out

MOST_FLIPS = 10


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("compare")(compare)


def compare(
    a: Annotated[Path, typer.Argument(help="Run directory of the first evaluation.")],
    b: Annotated[Path, typer.Argument(help="Run directory of the second evaluation.")],
) -> None:
    """Compare two evaluations of the same tasks: is the second one better, and where?"""
    from assay.evals.compare import compare_runs

    result = compare_runs(a, b)
    out.print(f"pass@1 over {result.tasks} tasks: {result.a:.3f} against {result.b:.3f}", highlight=False)
    out.print(f"difference {result.difference} by paired bootstrap over tasks", highlight=False)
    out.print(
        f"one answer a task ({result.answer}): {result.answers}, McNemar p = {result.p_value:.3g}", highlight=False
    )
    out.print(f"second run better on {result.wins}, worse on {result.losses}, equal on {result.ties}", highlight=False)
    if result.dropped:
        out.print(f"[yellow]{result.dropped} tasks left out: a run has no outcome for them[/]", highlight=False)
    for flip in result.flips[:MOST_FLIPS]:
        arrow = "[green]gained[/]" if flip.b_right else "[red]lost[/]"
        out.print(f"  {arrow} {flip.task_id}: {flip.a:.2f} to {flip.b:.2f}", highlight=False)
    if len(result.flips) > MOST_FLIPS:
        out.print(f"  and {len(result.flips) - MOST_FLIPS} more", highlight=False)
