"""`assay label`: which rollouts of an evaluation to read, and what the labels say about the verifier on all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from assay.cli.common import check_output, interval, out, percent

group = typer.Typer(
    help="Label a few rollouts, chosen well, and learn the verifier's error rates on all.", no_args_is_help=True
)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(group, name="label")


@group.command("plan")
def plan(
    run: Annotated[Path, typer.Argument(help="Run directory of an evaluation.")],
    sheet: Annotated[Path, typer.Argument(help="JSONL file to write; fill in `correct` with 0 or 1.")],
    budget: Annotated[int, typer.Option(help="How many rollouts to label.")] = 100,
    against: Annotated[
        list[str] | None,
        typer.Option(help="Another verifier, as in `assay audit`; where it disagrees more labels are spent."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random choice.")] = 0,
) -> None:
    """Choose rollouts to label, most where the verdicts are most in doubt, and write them as a sheet."""
    from assay.audits.adapters import resolve
    from assay.audits.case import accepts, default_threshold
    from assay.audits.plan import Rollout, plan_labels
    from assay.audits.sheet import sheet_rows, write_sheet
    from assay.core.errors import DataError
    from assay.evals.rundir import EvalRun
    from assay.evals.runner import tasks_of_run
    from assay.verifiers.base import Evidence, run_verifier

    check_output(sheet)
    tasks = {task.id: task for task in tasks_of_run(EvalRun(run))}
    judged = {t.id: t for t in EvalRun(run).read() if t.correct is not None}
    if not judged:
        raise DataError("holds no episode with a verdict", path=str(run))
    others = [resolve(name).build() for name in against or []]

    def disagrees_or_not(trajectory: Any) -> tuple[bool, ...]:
        verdicts = [run_verifier(other, tasks[trajectory.task_id], Evidence.of(trajectory)) for other in others]
        found = [accepts(v, default_threshold(o.score_range)) for v, o in zip(verdicts, others, strict=True)]
        # No verdict leaves the question open, as a disagreement does.
        return tuple(not trajectory.correct if word is None else word for word in found)

    try:
        rollouts = [Rollout(t.id, bool(t.correct), disagrees_or_not(t)) for t in judged.values()]
    finally:
        for other in others:
            other.close()
    chosen = plan_labels(rollouts, budget, seed=seed)
    write_sheet(sheet, sheet_rows(chosen, judged, tasks))
    table = Table("stratum", "rollouts", "to label")
    for stratum in chosen.strata:
        table.add_row(stratum.name, str(stratum.size), str(stratum.labels))
    out.print(table)
    out.print(f"fill in `correct` in {sheet}, then: assay label rates {sheet}", highlight=False, soft_wrap=True)


@group.command("rates")
def rates(
    sheet: Annotated[Path, typer.Argument(help="A sheet of `assay label plan`, filled in from its top.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print plain data.")] = False,
) -> None:
    """Say how often the verifier is wrong on all rollouts of the run, from the labels of some."""
    from assay.audits.plan import estimate
    from assay.audits.sheet import read_sheet

    chosen, labels = read_sheet(sheet)
    found = estimate(chosen, labels)
    if as_json:
        typer.echo(json.dumps(found.to_json()))
        return
    out.print(f"{len(labels)} of {len(chosen.chosen)} rollouts labelled", highlight=False)
    table = Table("rate", "estimate", "95 % interval", "labels")
    names = {"fn": "rejected among the right", "fp": "accepted among the wrong", "pass_rate": "right among all"}
    for name, said in names.items():
        rate = getattr(found, name)
        table.add_row(said, percent(rate.rate), interval(*rate.interval), str(rate.labels))
    out.print(table)
