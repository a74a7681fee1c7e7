"""What audits of programs and of hardware designs share: certified cases and attacks, judged and reported."""

from __future__ import annotations

import time
from collections.abc import Sequence

from assay.audits.accuracy import latency
from assay.audits.case import Case
from assay.audits.certified import measure_certified
from assay.audits.corpora import UnreadableGold
from assay.audits.exploits import Exploits, by_family, exploit_findings
from assay.audits.findings import fault_findings, ranked
from assay.audits.report import AuditReport
from assay.audits.scope import AuditPlan
from assay.audits.trials import VerifierSource, run_cases


def judge_programs(
    source: VerifierSource,
    plan: AuditPlan,
    *,
    certified: Sequence[Case],
    attacks: Sequence[Case],
    unreadable: Sequence[UnreadableGold],
    language: str,
    started: float,
) -> AuditReport:
    """Let the grader judge both, and return the report; `started` is when the audit began (`perf_counter`)."""
    trials = run_cases(source, certified, plan.limits, threshold=plan.threshold)
    attacked = run_cases(source, attacks, plan.limits, threshold=plan.threshold)
    measured = measure_certified(trials, level=plan.level, seed=plan.seed) if trials else None
    exploits = Exploits(by_family(attacked, level=plan.level), (), (), None) if attacked else None
    findings = [*(measured.findings() if measured else ()), *(exploit_findings(exploits, ()) if exploits else ())]
    findings += fault_findings(trials + attacked)
    return AuditReport(
        verifier=source.label,
        plan=plan,
        latency=latency(trials or attacked),
        unreadable=tuple(unreadable),
        findings=tuple(ranked(findings)),
        certified=measured,
        exploits=exploits,
        frame=f"```{language}\n{{answer}}\n```",
        seconds=time.perf_counter() - started,
    )
