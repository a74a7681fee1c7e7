"""`assay audit`: how often is a verifier wrong, in which direction, and can it be fooled?"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from assay.cli.audit_summary import show, show_comparison
from assay.cli.common import check_output, err, milliseconds, out, parse_options, write_output
from assay.core.errors import ConfigError

if TYPE_CHECKING:
    from assay.audits import AuditPlan
    from assay.audits.report import AuditReport


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("audit")(audit)


def audit(
    verifier: Annotated[str, typer.Argument(help="Registered name, or module:attribute (class, instance, function).")],
    options: Annotated[list[str] | None, typer.Argument(help="Options of the verifier, key=value.")] = None,
    labels: Annotated[
        Path | None, typer.Option(help='JSONL rows {"id", "target", "response", "correct": 0|1}.')
    ] = None,
    tasks: Annotated[
        Path | None,
        typer.Option(
            help="Code tasks (HumanEval, MBPP, ...), or a folder of designs: judge programs made from them, and hacks."
        ),
    ] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the whole result here.")] = None,
    html_out: Annotated[Path | None, typer.Option("--html", help="Write a self-contained report here.")] = None,
    attack: Annotated[bool, typer.Option("--attack", help="Attack it: master keys, hedges, hostile input.")] = False,
    certified: Annotated[
        bool, typer.Option("--certified", help="Judge answers made from the golds that are right or wrong by proof.")
    ] = False,
    probes: Annotated[
        bool, typer.Option("--probes", help="Probe threads, determinism, symmetry and code execution.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="All of --attack, --certified and --probes.")] = False,
    allow_unreadable: Annotated[
        bool, typer.Option("--allow-unreadable", help="Go on when over 5 % of the golds cannot be read.")
    ] = False,
    max_fp_upper: Annotated[float | None, typer.Option(help="Gate: upper end of the FP interval.")] = None,
    max_fn_upper: Annotated[float | None, typer.Option(help="Gate: upper end of the FN interval.")] = None,
    max_ceiling: Annotated[float | None, typer.Option(help="Gate: success of the most successful attack.")] = None,
    max_p99: Annotated[str | None, typer.Option(help="Gate: 99th percentile of the latency, as 1s or 250ms.")] = None,
    max_critical: Annotated[int | None, typer.Option(help="Gate: number of critical findings.")] = None,
    against: Annotated[
        str | None, typer.Option(help="Another verifier: judge the same cases with it and compare, McNemar's test.")
    ] = None,
    baseline: Annotated[Path | None, typer.Option(help="JSON of an earlier audit: fail where worse.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything generated.")] = 0,
) -> None:
    """Audit a verifier against labels, certified cases and attacks.

    Exit code 1 when a gate is not met, or when the verifier gave no verdict at all.
    """
    from assay.audits import AuditPlan, load_labels
    from assay.audits import audit as run
    from assay.audits.compare import compare_report
    from assay.audits.gates import Gates, check_gates, load_baseline, regressions

    if tasks is not None and labels is not None:
        raise ConfigError("--tasks makes its own programs; give either --labels or --tasks")
    check_output(json_out)
    check_output(html_out)
    gates = Gates(max_fp_upper, max_fn_upper, max_ceiling, milliseconds(max_p99), max_critical)
    earlier = load_baseline(baseline) if baseline is not None else None
    rows = load_labels(labels) if labels is not None else ()
    plan = AuditPlan(certified=certified or full, attack=attack or full, probes=probes or full, seed=seed)
    if tasks is not None:
        result = _audit_programs(verifier, options or [], tasks, plan)
    else:
        result = run(verifier, rows, options=parse_options(options or []), plan=plan, allow_unreadable=allow_unreadable)
    show(result)
    data = result.to_json()
    if against is not None:
        comparison = compare_report(result, verifier, against)
        show_comparison(comparison)
        data["comparison"] = comparison.to_json()
    if json_out is not None:
        write_output(json_out, json.dumps(data, indent=2, ensure_ascii=False) + "\n")
        out.print(f"json: {json_out}", soft_wrap=True, highlight=False)
    if html_out is not None:
        from assay.audits.report_html import render_html

        write_output(html_out, render_html(result))
        out.print(f"html: {html_out}", soft_wrap=True, highlight=False)
    failed = check_gates(data, gates) + (regressions(data, earlier) if earlier is not None else [])
    for line in failed:
        err.print(f"[bold red]gate:[/] {escape(line)}", soft_wrap=True, highlight=False)
    if failed:
        raise typer.Exit(1)


def _audit_programs(verifier: str, options: list[str], tasks: Path, plan: AuditPlan) -> AuditReport:
    """Audit a grader of code, or of hardware designs for a folder. What nothing was asked for gets both parts."""
    certified, attack = (plan.certified, plan.attack) if plan.certified or plan.attack else (True, True)
    given = parse_options(options)

    def scaled(usual: AuditPlan) -> AuditPlan:
        return replace(usual, certified=certified, attack=attack, seed=plan.seed)

    if tasks.is_dir():
        from assay.audits.hardware import DESIGN_PLAN, audit_designs
        from assay.envs.verilog.layouts import design_tasks

        return audit_designs(verifier, list(design_tasks(tasks)), options=given, plan=scaled(DESIGN_PLAN))
    from assay.audits.code import CODE_PLAN, audit_code
    from assay.core.task import load_tasks
    from assay.envs.code.rows import code_task

    return audit_code(verifier, list(load_tasks(tasks, code_task)), options=given, plan=scaled(CODE_PLAN))
