"""`assay eval`: pass@k with intervals, for a checkpoint directory or a model behind an endpoint."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from assay.agents.spec import AgentConfig, open_agent
from assay.cli.common import err, out
from assay.core.config import load_config
from assay.core.errors import ConfigError
from assay.core.registry import make
from assay.core.seeding import short_hash
from assay.evals.config import EvalConfig
from assay.evals.rundir import MAY_DIFFER, EvalRun

if TYPE_CHECKING:
    from assay.core.trajectory import Trajectory
    from assay.evals.summary import Estimate, EvalSummary, Stratum


class EvalJob(EvalConfig):
    """An evaluation and who is evaluated: what the YAML files of `assay eval` hold."""

    agent: AgentConfig


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("eval")(evaluate)


def evaluate(
    target: Annotated[
        str, typer.Argument(help="Configuration file (.yaml), or an environment: its id or module:Class.")
    ],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Settings: dotted.key=value, such as agent.model=runs/demo/model.")
    ] = None,
    run_dir: Annotated[Path | None, typer.Option(help="Where to record; an evaluation in it goes on.")] = None,
    retry_faults: Annotated[
        bool, typer.Option("--retry-faults", help="Play the episodes again that a fault ended the last time.")
    ] = False,
) -> None:
    """Evaluate an agent: pass@k, majority vote, intervals over tasks. Run it again to resume.

    assay eval assay/Arithmetic-v0 agent.model=runs/demo/model tasks=256 samples=8 'ks=[1,8]'
    """
    job = _load(target, overrides or [])
    directory = run_dir or _default_directory(job)
    from assay.evals.runner import evaluate as run
    from assay.rollouts.progress import EpisodeProgress

    make(job.env, **job.env_options).close()  # a wrong name or a bad row is known before a model is loaded
    opened = open_agent(job.agent, **job.sampling.model_dump())
    bars: list[EpisodeProgress] = []
    with ExitStack() as stack:
        stack.callback(opened.close)

        def start(done: int, total: int) -> None:
            if done:
                err.print(f"{directory}: {done} of {total} episodes are done already", soft_wrap=True, highlight=False)
            bars.append(stack.enter_context(EpisodeProgress(total - done)))

        context = getattr(getattr(opened.agent, "engine", None), "max_context", None)
        full: list[str] = []

        def finish(trajectory: Trajectory) -> None:
            bars[-1].advance(trajectory)
            if context is not None and trajectory.fills(context):
                full.append(trajectory.id)

        try:
            summary = run(
                EvalConfig.model_validate(job.model_dump(exclude={"agent"})),
                opened.agent,
                directory,
                agent_spec=job.agent.identity(),
                retry_faults=retry_faults,
                on_start=start,
                on_finish=finish,
            )
        except KeyboardInterrupt:
            err.print(f"stopped; the same command goes on: {directory}", soft_wrap=True, highlight=False)
            raise
    show(summary)
    if full:
        out.print(
            f"[yellow]{len(full)} episodes filled the model's context of {context} tokens[/]: what came then was cut",
            highlight=False,
        )
    if summary.unscored and (faulted := sum(trajectory.faulted for trajectory in EvalRun(directory).read())):
        out.print(f"a fault ended {faulted} of them: the same command with --retry-faults plays them again")
    out.print(f"recorded in {directory}", soft_wrap=True, highlight=False)
    if not summary.scored:
        raise typer.Exit(1)


def _load(target: str, overrides: list[str]) -> EvalJob:
    if target.endswith((".yaml", ".yml")):
        return load_config(EvalJob, target, overrides)
    if not any(word.startswith("agent") for word in overrides):
        raise ConfigError(
            "say who is evaluated: agent.model=DIRECTORY, or agent.engine=api agent.model=NAME agent.endpoint=URL"
        )
    return load_config(EvalJob, None, [f"env={target}", *overrides])


def _default_directory(job: EvalJob) -> Path:
    """Name the directory by what decides the result, so that the same command resumes and another one does not."""
    decides = job.model_dump(mode="json", exclude=set(MAY_DIFFER) | {"agent"})
    text = json.dumps([decides, job.agent.identity()], sort_keys=True)
    name = re.split("[/:]", job.env)[-1].removesuffix("-v0").lower()
    return Path("runs") / f"eval-{name}-{short_hash(text, 8)}"


def show(summary: EvalSummary) -> None:
    """Print a summary."""
    table = Table(title=f"{summary.tasks} tasks, {summary.episodes} episodes", title_justify="left")
    for name in ("", "estimate", f"{summary.level:.0%} interval", "if unscored were wrong … right"):
        table.add_column(name)
    rows = {f"pass@{k}": estimate for k, estimate in summary.pass_at.items()}
    rows |= {f"pass^{k}": estimate for k, estimate in summary.pass_all.items() if k > 1}
    if summary.majority is not None:
        rows["majority vote"] = summary.majority
    for name, estimate in rows.items():
        table.add_row(name, *_cells(estimate))
    out.print(table)
    for title, strata in (("tag", summary.by_tag), ("difficulty", summary.by_difficulty)):
        if len(strata) > 1:
            out.print(_strata(title, strata))
    if summary.unscored:
        out.print(f"[yellow]{summary.unscored} of {summary.episodes} episodes have no verdict:[/]", highlight=False)
        for reason, count in summary.unscored_reasons.items():
            out.print(f"  {count} × {escape(reason)}", highlight=False)
    out.print(
        f"{summary.tokens.mean:.1f} tokens and {summary.turns.mean:.1f} turns an episode, "
        f"{100 * summary.truncated:.1f} % hit a limit",
        highlight=False,
    )


def _cells(estimate: Estimate) -> tuple[str, str, str]:
    if estimate.value is None:
        return "unknown", "", ""
    band = "" if estimate.low is None else f"{estimate.low:.3f} … {estimate.high:.3f}"
    bounds = "" if estimate.worst == estimate.best else f"{estimate.worst:.3f} … {estimate.best:.3f}"
    return f"{estimate.value:.3f}", band, bounds


def _strata(title: str, strata: dict[str, Stratum]) -> Table:
    table = Table()
    for name in (title, "tasks", "pass@1", "interval"):
        table.add_column(name)
    for name, stratum in strata.items():
        value, band, _ = _cells(stratum.pass_at_1)
        table.add_row(name, str(stratum.tasks), value, band)
    return table
