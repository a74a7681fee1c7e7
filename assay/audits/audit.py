"""audit(): measure a verifier, and report what a user should know before trusting its rewards.

Four parts, each optional: labelled rows, certified mutants, attacks, and behaviour probes. The report leads with the
labelled rows where there are any, since they are the user's own data, and with the certified cases otherwise.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from assay.audits.accuracy import latency, measure
from assay.audits.adapters import AnyVerifier, resolve
from assay.audits.attacks import FAMILIES, GOLD_FREE, ON_CALLS, attack_cases, hostile_cases, wrong_answers
from assay.audits.attacks.base import Attack
from assay.audits.calibration import calibrate_trials
from assay.audits.calls import read_calls
from assay.audits.case import Case, Trial
from assay.audits.certified import Certified, measure_certified
from assay.audits.corpora import refuse_unreadable, unreadable_golds
from assay.audits.exploits import Exploits, by_family, exploit_findings, hostile_table
from assay.audits.findings import Finding, fault_findings, label_findings, ranked
from assay.audits.frames import FrameRow, choose_frame, framed, gold_in
from assay.audits.mutators import bank_calls, bank_cases, certified_cases, distinct_golds, is_textual
from assay.audits.probes import (
    canary_probe,
    constant_cases,
    constant_values,
    cross_cases,
    cross_prompt,
    dead_function_probe,
    pick,
    stability_probe,
    symmetry_probe,
)
from assay.audits.process import audit_process
from assay.audits.report import AuditReport
from assay.audits.scope import LABELS_ONLY, AuditPlan
from assay.audits.trials import RunLimits, VerifierSource, run_cases
from assay.core.errors import ConfigError
from assay.core.seeding import derive_seed
from assay.verifiers.base import Verifier


@dataclass(slots=True)
class _Audit:
    """State of one run of `audit`."""

    source: VerifierSource
    verifier: Verifier
    plan: AuditPlan
    rows: Sequence[Case]
    bank: Sequence[Case]
    golds: list[Case]
    """Tasks to attack: golds that the verifier accepts as answers, where there are any."""
    judged: list[Trial] = field(default_factory=list)
    """Everything judged but hostile inputs and canaries, for findings about crashes and exceptions."""
    frame: str = "{answer}"
    """How certified answers are written."""
    readable: Sequence[str] = ("{answer}",)
    """All frames in which the verifier reads answers as well: graders read each in a code path of its own."""
    frames: list[FrameRow] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def run(self, cases: Sequence[Case], limits: RunLimits | None = None) -> list[Trial]:
        trials = run_cases(self.source, cases, limits or self.plan.limits, threshold=self.plan.threshold)
        self.judged += trials if limits is None else []
        return trials

    @property
    def textual(self) -> bool:
        """Whether golds are texts, which can be written as answers; tool calls and the like are not."""
        return all(map(is_textual, self.golds))

    @property
    def writable(self) -> bool:
        """Whether golds can be written as responses in some frame."""
        return bool(distinct_golds(self.golds))


def audit(
    verifier: AnyVerifier,
    rows: Sequence[Case] = (),
    *,
    options: Mapping[str, Any] | None = None,
    plan: AuditPlan = LABELS_ONLY,
    allow_unreadable: bool = False,
) -> AuditReport:
    """Audit a verifier.

    Args:
        verifier: a registered name, `module:attribute`, a `Verifier`, or a function `f(completion, answer)`.
        rows: labelled cases, as `load_labels` reads them. Their golds also feed the generated cases.
        options: for the verifier's factory.
        plan: what to do beyond the labelled rows; `FULL` does all.
        allow_unreadable: count rows whose gold the verifier cannot read as *no verdict*, however many they are. By
            default more than 5 % of them are refused.

    Raises:
        ConfigError: no such verifier, or nothing to audit it on.
        DataError: unreadable golds.
    """
    if not rows and not (plan.certified or plan.attack or plan.probes):
        raise ConfigError("nothing to audit on: give labelled rows, or ask for certified cases or attacks")
    started = time.perf_counter()
    source = resolve(verifier, options)
    judge = source.build()
    try:
        unreadable = unreadable_golds(judge, rows)
    finally:
        judge.close()
    if not allow_unreadable:
        refuse_unreadable(unreadable, source.label, len(rows))
    bank = _own_golds(rows, plan, judge)
    state = _Audit(source, judge, plan, rows, bank, golds=_some_golds(rows, bank, plan.seed))
    stages = tuple(getattr(judge, "stages", ()))

    trials = state.run(rows)
    labels = measure(trials, stages=stages, level=plan.level, seed=plan.seed) if rows else None
    if labels is not None:
        state.findings += label_findings(labels)
    if state.writable and (plan.certified or plan.attack or plan.probes):
        _find_frame(state)
    certified, generated = _certify(state) if plan.certified else (None, [])
    exploits = _exploit(state) if plan.attack else None
    if plan.probes:
        _probe(state, trials + generated)
    timed = trials + generated
    asked = plan.process and (plan.certified or plan.attack or plan.probes)
    process = audit_process(state.run, level=plan.level, seed=plan.seed) if asked else None
    if process is not None:
        state.findings += process.findings
    state.findings += fault_findings(state.judged)
    return AuditReport(
        verifier=source.label,
        plan=plan,
        latency=latency(timed),
        unreadable=tuple(unreadable),
        findings=tuple(ranked(state.findings)),
        labels=labels,
        certified=certified,
        exploits=exploits,
        calibration=calibrate_trials(trials or generated, level=plan.level, target_fp=plan.target_fp),
        process=process,
        frame=state.frame,
        frames=tuple(state.frames),
        seconds=time.perf_counter() - started,
    )


def _own_golds(rows: Sequence[Case], plan: AuditPlan, judge: Verifier) -> list[Case]:
    """Return golds of the audit's own, of the kind of the user's; without any, of the kind that the verifier reads."""
    if rows and not distinct_golds(rows):
        return []
    calls = bank_calls(2 * plan.bank, plan.seed)
    if rows and not is_textual(rows[0]):
        return calls
    dollars = [str(row.target).strip()[:1] == "$" for row in rows]
    usual = "${answer}$" if dollars and sum(dollars) > len(dollars) / 2 else "{answer}"
    texts = bank_cases(plan.bank, plan.seed, frame=plan.gold_frame or usual)
    return texts if rows or _readable(texts, judge) >= _readable(calls, judge) else calls


def _readable(golds: Sequence[Case], judge: Verifier) -> float:
    """Return the share of golds that the verifier says it can read."""
    return sum(judge.check_target(g.task()) is None for g in golds) / max(1, len(golds))


def _some_golds(rows: Sequence[Case], bank: Sequence[Case], seed: int, most: int = 120) -> list[Case]:
    golds = distinct_golds(rows) or list(bank) or list({repr(r.target): r for r in rows}.values())
    return random.Random(derive_seed("golds", seed)).sample(golds, min(most, len(golds)))


def _find_frame(state: _Audit) -> None:
    """Find the frame, and keep the golds that are accepted in it."""
    golds = state.golds
    if state.plan.frame is not None:
        state.frame, state.readable = state.plan.frame, (state.plan.frame,)
    else:
        state.frame, state.frames = choose_frame(state.source, golds, state.plan.limits, threshold=state.plan.threshold)
        best = max(row.accepted for row in state.frames)
        state.readable = [row.frame for row in state.frames if row.accepted >= 0.9 * best]
        n = state.frames[0].n
        if best < n / 2:
            state.findings.append(
                Finding(
                    kind="gold-rejected",
                    severity="high",
                    title="the verifier rejects most golds as answers, however they are written",
                    count=n - best,
                    total=n,
                    detail="Generated cases mean little before this is clear; perhaps it needs a format: set `frame`.",
                    repro={"target": golds[0].target, "response": str(golds[0].target), "expected": "correct"},
                )
            )
    answers = state.run([replace(g, response=gold_in(state.frame, g), origin="probe") for g in golds])
    state.golds = [g for g, t in zip(golds, answers, strict=True) if t.accepted] or golds


def _certify(state: _Audit) -> tuple[Certified, list[Trial]]:
    plan = state.plan
    cases = certified_cases(state.rows, state.bank, frame=state.frame, seed=plan.seed, most=plan.cases)
    trials = state.run(cases)
    certified = measure_certified(trials, level=plan.level, seed=plan.seed)
    state.findings += certified.findings()
    return certified, trials


def _exploit(state: _Audit) -> Exploits:
    plan = state.plan
    # Where no call is wanted, everything without one is right: nothing to attack.
    golds = state.golds = [g for g in state.golds if read_calls(g.target) != []][:40]
    families = _families(state)
    wrong = _rejected_answers(state) if state.textual else None
    attacks = state.run(
        attack_cases(golds, state.readable, seed=plan.seed, most=plan.attacks, families=families, wrong=wrong)
    )
    constants = state.run(constant_cases(golds, state.frame, seed=plan.seed))
    cross = state.run(cross_cases(golds, state.frame, seed=plan.seed))
    limits = replace(plan.hostile, workers=plan.limits.workers)
    rounds = hostile_cases()
    if not state.textual:
        rounds = [[replace(c, target=golds[0].target, metadata=golds[0].metadata) for c in cases] for cases in rounds]
    hostile: list[Trial] = []
    for cases in rounds:
        harmful = {row.name for row in hostile_table(hostile, ()) if row.harmful}
        hostile += state.run([c for c in cases if c.family not in harmful], limits)
    # Off the main thread some graders lose their only time limit, or everything. Short inputs are enough to see it.
    short = [c for c in rounds[1] if len(c.response) < 60]
    threaded = state.run(short, replace(limits, threads=1))
    exploits = Exploits(
        families=by_family(attacks, level=plan.level),
        hostile=hostile_table(hostile, threaded),
        constants=tuple(constant_values(constants, level=plan.level)),
        cross=cross_prompt(cross, level=plan.level),
    )
    state.findings += exploit_findings(exploits, hostile)
    return exploits


def _families(state: _Audit) -> Mapping[str, Attack]:
    """Return the attacks that the golds allow. Another kind of gold may bring its own here."""
    if state.textual:
        return FAMILIES
    return ON_CALLS if state.writable else {name: FAMILIES[name] for name in GOLD_FREE}


def _rejected_answers(state: _Audit) -> dict[str, str]:
    """Return a wrong answer for each gold that the verifier rejects in every frame that it reads."""
    rng = random.Random(derive_seed("wrong-answers", state.plan.seed))
    cases = [
        replace(gold, id=f"{gold.id}#{n}", response=framed(frame, answer), answer=answer, origin="probe", correct=False)
        for gold in state.golds[:40]
        for n, answer in enumerate(wrong_answers(gold, rng, 3))
        for frame in state.readable[:2]
    ]
    accepted = {(t.case.id, t.case.answer) for t in state.run(cases) if t.accepted}
    rejected: dict[str, str] = {}
    for case in cases:
        if (case.id, case.answer) not in accepted:
            rejected.setdefault(case.id.rpartition("#")[0], case.answer)
    return rejected


def _probe(state: _Audit, trials: Sequence[Trial]) -> None:
    plan = state.plan
    if not trials:
        trials = state.run(certified_cases(state.rows, state.bank, frame=state.frame, seed=plan.seed, most=100))
    deterministic = state.verifier.deterministic
    state.findings += stability_probe(
        state.source, pick(trials), plan.limits, deterministic=deterministic, threshold=plan.threshold
    )
    if state.textual:
        state.findings += symmetry_probe(state.source, trials, plan.limits, threshold=plan.threshold)
    right = [t.case for t in trials if t.case.correct and t.case.family != "identity" and t.seconds < 0.5]
    state.findings += dead_function_probe(state.source, right[:80], replace(plan.limits, seconds=2.0, kills=5))
    _, found = canary_probe(state.source, plan.hostile, state.golds, wrap=state.frame)
    state.findings += found
