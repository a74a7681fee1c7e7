"""audit(): measure a verifier on labelled rows, and report what a user should know before trusting its rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.audits.accuracy import Accuracy, Latency, latency, measure
from assay.audits.adapters import AnyVerifier, resolve
from assay.audits.case import Case, Trial
from assay.audits.corpora import UnreadableGold, refuse_unreadable, unreadable_golds
from assay.audits.findings import Finding, ranked, repro, smallest
from assay.audits.training import NoiseChannel, training_terms
from assay.audits.trials import RunLimits, run_cases
from assay.core.errors import ConfigError

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The result of an audit. `to_json` is what the command line writes."""

    verifier: str
    level: float
    latency: Latency
    unreadable: tuple[UnreadableGold, ...]
    findings: tuple[Finding, ...]
    labels: Accuracy | None = None
    """On the labelled rows."""
    group: int = 16

    @property
    def headline(self) -> Accuracy | None:
        """The rates that the report leads with."""
        return self.labels

    @property
    def channel(self) -> NoiseChannel | None:
        """The verifier as a noise channel, when both error rates were measured."""
        best = self.headline
        if best is None or best.fp.value is None or best.fn.value is None:
            return None
        return NoiseChannel(rho0=best.fp.value, rho1=best.fn.value)

    def to_json(self) -> dict[str, Any]:
        """Return plain data. At the top: `n`, the rates, their intervals, counts by status, latencies in ms."""
        best = self.headline
        channel = self.channel
        return {
            "schema_version": SCHEMA_VERSION,
            "verifier": self.verifier,
            "level": self.level,
            "n": best.confusion.total if best else 0,
            "fn_rate": best.fn.value if best else None,
            "fp_rate": best.fp.value if best else None,
            "fn_interval": list(best.fn.interval) if best else None,
            "fp_interval": list(best.fp.interval) if best else None,
            "status": dict(best.status) if best else {},
            "latency": self.latency.to_json(),
            "unreadable_golds": [{"id": g.id, "target": g.target, "reason": g.reason} for g in self.unreadable],
            "findings": [f.to_json() for f in self.findings],
            "labels": self.labels.to_json() if self.labels else None,
            "training": training_terms(channel, group=self.group) if channel else None,
        }


def audit(
    verifier: AnyVerifier,
    rows: Sequence[Case],
    *,
    options: Mapping[str, Any] | None = None,
    allow_unreadable: bool = False,
    limits: RunLimits = RunLimits(),  # noqa: B008 - frozen
    threshold: float | None = None,
    level: float = 0.95,
    group: int = 16,
) -> AuditReport:
    """Audit a verifier.

    Args:
        verifier: a registered name, `module:attribute`, a `Verifier`, or a function `f(completion, answer)`.
        rows: labelled cases, as `load_labels` reads them.
        options: for the verifier's factory.
        allow_unreadable: count rows whose gold the verifier cannot read as *no verdict* instead of refusing them.
        limits: time, memory and processes of the run.
        threshold: smallest score that counts as *correct*, for verdicts that do not say; the middle of the range.
        level: confidence level of the intervals.
        group: group size G of the training terms.

    Raises:
        ConfigError: no such verifier, or nothing to audit it on.
        DataError: unreadable golds.
    """
    if not rows:
        raise ConfigError("an audit needs at least one row")
    source = resolve(verifier, options)
    judge = source.build()
    try:
        unreadable = unreadable_golds(judge, rows)
        stages = tuple(getattr(judge, "stages", ()))
        if not allow_unreadable:
            refuse_unreadable(unreadable, source.label, len(rows))
    finally:
        judge.close()
    trials = run_cases(source, rows, limits, threshold=threshold)
    labels = measure(trials, stages=stages, level=level)
    return AuditReport(
        verifier=source.label,
        level=level,
        latency=latency(trials),
        unreadable=tuple(unreadable),
        findings=tuple(ranked(label_findings(labels) + killed_findings(trials))),
        labels=labels,
        group=group,
    )


def label_findings(labels: Accuracy) -> list[Finding]:
    """Return the findings in labelled rows: false accepts and rejects by class, stages that never decide."""
    found: list[Finding] = []
    for error, kind in (("FP", "false-accept"), ("FN", "false-reject")):
        wrong = [t for t in labels.disagreements if t.error == error]
        total = labels.fp.n if error == "FP" else labels.fn.n
        for cls in sorted({t.case.cls for t in wrong}):
            mine = [t for t in wrong if t.case.cls == cls]
            what = "wrong answers accepted" if error == "FP" else "right answers rejected"
            found.append(
                Finding(
                    kind=f"label/{kind}/{cls or 'all'}",
                    severity="high" if error == "FP" else "medium",
                    title=f"{what}{f' in class {cls!r}' if cls else ''}",
                    count=len(mine),
                    total=total,
                    repro=repro(smallest(mine)),
                )
            )
    return found + dead_stages(labels)


def dead_stages(labels: Accuracy) -> list[Finding]:
    """Return a finding for every declared stage that decided nothing."""
    return [
        Finding(
            kind=f"dead-stage/{row.stage}",
            severity="medium",
            title=f"stage {row.stage!r} decided 0 of {row.total}",
            count=row.total,
            total=row.total,
            detail="Either no case needs it, or it is broken and its failures are swallowed.",
        )
        for row in labels.stages
        if row.decided == 0 and row.total > 0
    ]


def killed_findings(trials: Sequence[Trial]) -> list[Finding]:
    """Return a finding for calls that hung or killed their process."""
    found: list[Finding] = []
    for status, kind, title in (("timeout", "hang", "hung until killed"), ("error", "crash", "killed its process")):
        mine = [t for t in trials if t.killed and t.verdict.status == status]
        if mine:
            shown = repro(smallest(mine))
            found.append(Finding(kind, "critical", f"the verifier {title}", len(mine), len(trials), repro=shown))
    return found
