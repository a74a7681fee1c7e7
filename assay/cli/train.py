"""`assay train`: a run from a configuration, with progress, resumable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from assay.cli.common import err, out
from assay.core.config import load_config

if TYPE_CHECKING:
    from assay.trainers.loop import TrainResult


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("train")(train)


def train(
    config: Annotated[Path, typer.Argument(help="Configuration file, such as configs/arithmetic.yaml.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="Changes to it: dotted.key=value.")] = None,
    run_dir: Annotated[Path | None, typer.Option(help="Where to leave everything; runs/<config> if left out.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the directory.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in the directory.")] = False,
) -> None:
    """Train an agent by reinforcement learning with verifiable rewards.

    Ctrl-C ends the current step, saves a checkpoint and says how to go on. Started by torchrun, the processes share
    the weights.
    """
    from assay.trainers.config import TrainConfig

    settings = load_config(TrainConfig, config, overrides or ())
    directory = run_dir or Path("runs") / config.stem
    from assay.trainers.distributed import follow, team
    from assay.trainers.loop import train as run

    with team() as parallel:
        if parallel is not None and parallel.rank:
            follow(settings, parallel)
            return
        with TerminalReporter() as reporter:
            result = run(settings, directory, resume=resume, overwrite=overwrite, reporter=reporter, parallel=parallel)
    _summarise(result, config, overrides or [])


class TerminalReporter:
    """Follows a run with a progress bar on stderr, and a line on stdout for each evaluation."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("[bold]{task.description:<14}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=err,
            transient=True,
            disable=not err.is_terminal,
        )
        self._tasks: dict[str, Any] = {}
        self._phase = ""

    def __enter__(self) -> TerminalReporter:
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def on_phase(self, phase: str, done: int, total: int) -> None:
        """Show a bar for the phase. An evaluation in the course of training has none of its own."""
        if phase == "eval":
            return
        for task in self._tasks.values():
            self._progress.remove_task(task)
        self._tasks = {phase: self._progress.add_task(phase, total=total, completed=done, note="")}
        self._phase = phase

    def on_progress(self, done: int) -> None:
        """Move the bar."""
        self._progress.update(self._tasks[self._phase], completed=done)

    def on_row(self, row: Mapping[str, Any]) -> None:
        """Print evaluations; note the reward of training steps beside the bar."""
        if row["kind"] == "eval":
            out.print(f"step {row['step']:>4}  {_rates(row)}  {row['time']:.0f} s", highlight=False)
        elif row["kind"] == "train" and row.get("reward") is not None:
            self._progress.update(self._tasks[self._phase], note=f"reward {row['reward']:.3f}")
        elif row["kind"] == "warmstart" and row.get("loss") is not None:
            self._progress.update(self._tasks[self._phase], note=f"loss {row['loss']:.3f}")

    def on_checkpoint(self, path: Path) -> None:
        """Say nothing: the directory shows it."""

    def on_notice(self, text: str) -> None:
        """Print it."""
        err.print(f"[yellow]note:[/] {escape(text)}", soft_wrap=True, highlight=False)


def _rates(row: Mapping[str, Any]) -> str:
    shown = []
    for key, value in row.items():
        if key.startswith("pass@") and "/" not in key and value is not None:
            low, high = row.get(f"{key}/low"), row.get(f"{key}/high")
            band = f" [{low:.3f}, {high:.3f}]" if low is not None and high is not None else ""
            shown.append(f"{key} {value:.3f}{band}")
    return "  ".join(shown)


def _summarise(result: TrainResult, config: Path, overrides: list[str]) -> None:
    if not result.finished:
        words = " ".join(["assay train", str(config), *overrides, f"--run-dir {result.run_dir} --resume"])
        out.print(f"stopped after step {result.step}; go on with: {words}", soft_wrap=True, highlight=False)
        return
    if result.evaluations:
        first, last = min(result.evaluations), max(result.evaluations)
        table = Table(title="held-out tasks", title_justify="left")
        table.add_column("")
        table.add_column(f"before (step {first})")
        table.add_column(f"after (step {last})")
        for k in result.evaluations[first].pass_at:
            before, after = result.evaluations[first].pass_at[k], result.evaluations[last].pass_at.get(k)
            table.add_row(f"pass@{k}", str(before), str(after))
        out.print(table)
    out.print(f"model: {result.run_dir / 'model'}   time: {result.seconds:.0f} s", soft_wrap=True, highlight=False)
