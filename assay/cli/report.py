"""`assay report`: one HTML file from a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.common import check_output, out


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("report")(report)


def report(
    run_dir: Annotated[Path, typer.Argument(help="Run directory of `assay train` or `assay eval`.")],
    output: Annotated[Path | None, typer.Option("--out", help="The file; report.html in the run if left out.")] = None,
) -> None:
    """Write a self-contained HTML report: learning curves, pass@k before and after, transcripts side by side."""
    from assay.reports import write_report

    check_output(output)
    path = write_report(run_dir, output)
    out.print(f"report: {path}", soft_wrap=True, highlight=False)
