"""The summary of an audit on the terminal: rates, attacks, training terms, findings, disagreements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from assay.cli.common import err, interval, out, percent

if TYPE_CHECKING:
    from assay.audits.accuracy import Accuracy
    from assay.audits.compare import Comparison
    from assay.audits.exploits import Exploits
    from assay.audits.rates import Rate
    from assay.audits.report import AuditReport

MOST_FINDINGS = 15
MOST_DISAGREEMENTS = 10
PASS_RATES = (0.1, 0.5, 0.9)


def show(report: AuditReport) -> None:
    """Print the summary of an audit."""
    out.print(f"[bold]{escape(report.verifier)}[/], audited in {report.seconds:.1f} s", highlight=False)
    table = Table()
    for name in ("", "cases", "false negatives\n95 % interval", "false positives\n95 % interval", "no\nverdict"):
        table.add_column(name)
    if report.labels is not None:
        _add_accuracy(table, "labels", report.labels)
    if report.certified is not None:
        _add_accuracy(table, "certified", report.certified.accuracy)
    if table.row_count:
        out.print(table)
    if report.unreadable:
        golds = "; ".join(f"{g.id}: {_short(g.target)}" for g in report.unreadable[:3])
        out.print(f"[yellow]{len(report.unreadable)} golds cannot be read[/], no verdict: {golds}", highlight=False)
    latency = report.latency
    out.print(f"latency p50 {latency.p50:.2f} ms, p99 {latency.p99:.2f} ms, max {latency.max:.1f} ms", highlight=False)
    if report.exploits is not None:
        _show_exploits(report.exploits)
    _show_scores(report)
    _show_training(report)
    _show_findings(report)
    if report.labels is not None:
        _show_disagreements(report.labels)


def _add_accuracy(table: Table, name: str, accuracy: Accuracy) -> None:
    confusion = accuracy.confusion
    missing = confusion.right_without_verdict + confusion.wrong_without_verdict
    table.add_row(
        name, str(confusion.total), "\n".join(_cells(accuracy.fn)), "\n".join(_cells(accuracy.fp)), str(missing)
    )


def _cells(rate: Rate) -> tuple[str, str]:
    return f"{percent(rate.value)} ({rate.events}/{rate.n})", interval(*rate.interval)


def _show_exploits(exploits: Exploits) -> None:
    table = Table(title="attacks", title_justify="left")
    for name in ("family", "accepted", "95 % interval"):
        table.add_column(name)
    for row in exploits.families:
        table.add_row(row.family, *_cells(row.success))
    out.print(table)
    harmful = [row for row in exploits.hostile if row.harmful]
    if exploits.hostile:
        out.print(f"hostile inputs: {len(harmful)} of {len(exploits.hostile)} hang, are slow or eat memory")
    if exploits.constants:
        best = exploits.constants[0]
        out.print(
            f"best constant answer: {escape(repr(best.response))}, accepted {percent(best.acceptance.value)}",
            highlight=False,
        )


def _show_scores(report: AuditReport) -> None:
    scores, process = report.calibration, report.process
    if scores is not None and scores.auroc is not None and scores.auroc_interval is not None:
        parts = [f"AUROC {scores.auroc:.3f} [{scores.auroc_interval.low:.3f}, {scores.auroc_interval.high:.3f}]"]
        parts += [f"ECE {scores.ece:.3f}"] if scores.ece is not None else []
        if scores.threshold is None:
            parts.append(f"no threshold is shown to keep FP below {report.plan.target_fp:.1%}")
        else:
            t = scores.threshold
            parts.append(
                f"threshold {t.threshold:g} keeps FP below {t.target:.1%}, and accepts {t.tp_rate:.1%} of right"
            )
        out.print(f"scores: {'; '.join(parts)}", highlight=False)
    if process is not None:
        area = "" if process.auroc is None else f"AUROC {process.auroc:.3f}; "
        out.print(
            f"steps: {area}finds the first false one in {percent(process.located.value)}, none in "
            f"{percent(process.sound.value)} of sound solutions (F1 {process.f1:.2f})",
            highlight=False,
        )


def _show_training(report: AuditReport) -> None:
    """Say what the measured rates do to a GRPO run, and what the trainer's correction would be given."""
    channel, group = report.channel, report.plan.group
    if channel is None or channel.rho0 == channel.rho1 == 0:
        return
    effective = ", ".join(f"{channel.effective_share(p):.0%} at pass rate {p:g}" for p in PASS_RATES)
    out.print(
        f"in training: rho0 {channel.rho0:.4f}, rho1 {channel.rho1:.4f}, J {channel.youden:.3f}; effective rollouts "
        f"{effective}; a group of {group} wrong answers gets a gradient with probability "
        f"{channel.spurious_group(group):.0%}",
        highlight=False,
    )
    from assay.audits.training import CAVEAT

    out.print(f"[dim]{CAVEAT}[/]", highlight=False)


def show_comparison(comparison: Comparison) -> None:
    """Print who was right where the other was not."""
    test = comparison.overall
    n = test.both + test.only_a + test.only_b + test.neither
    d = test.difference
    out.print(
        f"[bold]{escape(comparison.a)}[/] against [bold]{escape(comparison.b)}[/] on {n} cases: alone right on "
        f"{test.only_a} and {test.only_b}, McNemar p = {test.p_value:.2g}; accuracy {d.estimate:+.3f} "
        f"[{d.low:+.3f}, {d.high:+.3f}] for the second",
        highlight=False,
    )
    for row in comparison.classes:
        if row.adjusted_p < 0.05:
            counts = f"{row.test.only_a} and {row.test.only_b}, p = {row.adjusted_p:.2g} (Holm)"
            out.print(f"  class {escape(row.cls or 'all')}: {counts}", highlight=False)


def _show_findings(report: AuditReport) -> None:
    colors = {"critical": "bold red", "high": "red", "medium": "yellow", "info": "dim"}
    for finding in report.findings[:MOST_FINDINGS]:
        color = colors[finding.severity]
        out.print(f"[{color}]{finding.severity}[/] {escape(finding.title)}", soft_wrap=True, highlight=False)
    if len(report.findings) > MOST_FINDINGS:
        out.print(f"and {len(report.findings) - MOST_FINDINGS} more findings; --json or --html list them all")


def _show_disagreements(labels: Accuracy) -> None:
    rows = labels.disagreements
    if not rows:
        return
    table = Table(title=f"{len(rows)} verdicts against the label", title_justify="left")
    for name in ("id", "error", "gold", "response", "reason"):
        table.add_column(name, overflow="fold")
    for trial in rows[:MOST_DISAGREEMENTS]:
        case = trial.case
        table.add_row(
            case.id, trial.error or "", _short(case.target), _short(case.response), _short(trial.verdict.reason)
        )
    out.print(table)
    if len(rows) > MOST_DISAGREEMENTS:
        err.print(f"and {len(rows) - MOST_DISAGREEMENTS} more; --json lists them all")


def _short(value: object, width: int = 48) -> str:
    text = " ".join(str(value).split())
    return escape(text if len(text) <= width else text[: width - 1] + "…")
