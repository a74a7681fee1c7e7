"""The `assay` program: collects the commands and turns errors into exit codes.

0: done. 1: done, and the answer is bad (a failed check, an audit gate). 2: the user's input is at fault, one line
says how to mend it. 130: interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from assay.cli import audit, check, compare, evaluate, explain, label, list_, play, report, sandbox, serve, train
from assay.cli.common import err
from assay.core.errors import AssayError, Fault, describe, is_foreign

app = typer.Typer(
    name="assay",
    help="Reinforcement learning with verifiable rewards: train, evaluate and audit.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

for command in (train, evaluate, compare, audit, label, check, list_, explain, play, report, serve, sandbox):
    command.add_to(app)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from assay import __version__

        typer.echo(f"assay {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program, on the words of the command line if none are given; never returns."""
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)  # `module:attribute` may name a file beside the user; last, so that it hides nothing
    try:
        app(arguments, prog_name="assay", standalone_mode=True)
    except AssayError as error:
        if os.environ.get("RANK", "0") == "0":  # of several processes that torchrun started, one says it for all
            err.print(f"[bold red]error:[/] {_escape(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(2)
    except Fault as fault:
        err.print(f"[bold red]failed:[/] {_escape(str(fault))}", soft_wrap=True, highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("interrupted")
        sys.exit(130)
    except Exception as error:
        if not is_foreign(error) or os.environ.get("ASSAY_TRACEBACK"):
            raise
        hint = "ASSAY_TRACEBACK=1 shows the traceback"
        err.print(
            f"[bold red]error:[/] your code raised {_escape(describe(error))}; {hint}", soft_wrap=True, highlight=False
        )
        sys.exit(2)


def _escape(text: str) -> str:
    return text.replace("[", "\\[")
