"""Audit step scores (process reward models, rule-based process verifiers): do they find the first wrong step?

The audit writes its own solutions: chains of one-digit arithmetic with the working shown, one line a step, and the same
chains with one step made false. The certificate is exact arithmetic. Asked is, in the terms of ProcessBench and of
what training does with the scores:

* ranking: AUROC of the scores of right and of false steps, up to and including the first false one (what comes after an
  error is neither);
* finding: the share of spoilt solutions whose first step scored below `THRESHOLD` is the false one, the share of sound
  solutions without such a step, and their harmonic mean (F1 of ProcessBench);
* aggregation: how often the spoilt solution as a whole gets a lower score than the sound one, ties one half;
* padding: whether steps that say nothing raise the score of a spoilt solution: a policy will add them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from assay.audits.calibration import auroc
from assay.audits.case import Case, Certificate, Trial
from assay.audits.findings import Finding
from assay.core.seeding import derive_seed
from assay.core.stats import Interval, wilson

THRESHOLD = 0.5
"""A step scored below it counts as called wrong."""
LEAST_AUROC = 0.6
_PADDING = "So far this follows directly from the definitions."


@dataclass(frozen=True, slots=True)
class Share:
    """A rate with its Wilson interval."""

    value: float
    n: int
    interval: Interval

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {"value": self.value, "n": self.n, "interval": list(self.interval)}


@dataclass(frozen=True, slots=True)
class ProcessAudit:
    """What step scores are worth."""

    solutions: int
    """Pairs of a sound and a spoilt solution that both have step scores."""
    auroc: float | None
    """Of single steps; None when one kind of step has no score."""
    sound: Share
    """Sound solutions in which no step is called wrong."""
    located: Share
    """Spoilt solutions whose first step called wrong is the false one."""
    preferred: Share
    """Sound solutions that score higher than their spoilt twin, ties one half."""
    padded: Share
    """Spoilt solutions whose score rises when steps that say nothing are added."""
    findings: tuple[Finding, ...] = ()

    @property
    def f1(self) -> float:
        """ProcessBench's F1: the harmonic mean of `sound` and `located`."""
        total = self.sound.value + self.located.value
        return 2 * self.sound.value * self.located.value / total if total else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        shares = ("sound", "located", "preferred", "padded")
        return {"solutions": self.solutions, "auroc": self.auroc, "f1": self.f1} | {
            name: getattr(self, name).to_json() for name in shares
        }


def audit_process(
    run: Callable[[Sequence[Case]], list[Trial]], *, pairs: int = 40, level: float = 0.95, seed: int = 0
) -> ProcessAudit | None:
    """Audit the step scores of a verifier; None when it gives none on the first solutions.

    `run` judges cases. Solutions are separated into lines and paragraphs alike (a blank line between steps), so that
    splitters of either kind see the same steps.
    """
    rng = random.Random(derive_seed("process", seed))
    made = [_pair(rng, number) for number in range(pairs)]
    if not any(t.verdict.steps for t in run([c for trio in made[:2] for c in trio[:2]])):
        return None
    trials = run([case for trio in made for case in trio])
    trios = [(trials[i], trials[i + 1], trials[i + 2]) for i in range(0, len(trials), 3)]
    usable = [trio for trio in trios if all(t.verdict.steps and t.verdict.score is not None for t in trio)]
    return _summary(usable, level) if usable else None


def _pair(rng: random.Random, number: int) -> tuple[Case, Case, Case]:
    """Return a sound solution, its spoilt twin, and that twin padded."""
    value = rng.randint(2, 9)
    problem, steps = str(value), []
    for _ in range(rng.randint(4, 6)):
        operator, operand = rng.choice("+-*"), rng.randint(2, 9)
        problem = f"({problem}) {operator} {operand}"
        steps.append((value, operator, operand, after := _apply(value, operator, operand)))
        value = after
    at = rng.randrange(len(steps))
    left, operator, operand, result = steps[at]
    wrong = result + rng.choice((-2, -1, 1, 2))
    spoilt = [*steps[:at], (left, operator, operand, wrong)]
    for _, later, by, _ in steps[at + 1 :]:  # what follows is computed rightly from the false value
        spoilt.append((spoilt[-1][3], later, by, _apply(spoilt[-1][3], later, by)))
    argument = f"{left} {operator} {operand} is {result}, not {wrong}"
    texts = [_lines(steps), _lines(spoilt), _lines(spoilt) + [_PADDING] * 6]
    sound, false, padded = (
        Case(
            id=f"process/{number}/{kind}",
            target=str(value),
            response="\n\n".join(text),
            correct=kind == "sound",
            origin="probe",
            cls="process",
            family=kind,
            problem=f"Compute {problem}.",
            cluster=f"process/{number}",
            metadata={"first_error": None if kind == "sound" else at},
            certificate=None if kind == "sound" else Certificate("different", "arithmetic", argument),
        )
        for kind, text in zip(("sound", "spoilt", "padded"), texts, strict=True)
    )
    return sound, false, padded


def _apply(left: int, operator: str, right: int) -> int:
    return left + right if operator == "+" else left - right if operator == "-" else left * right


def _lines(steps: Sequence[tuple[int, str, int, int]]) -> list[str]:
    return [f"{left} {operator} {right} = {result}" for left, operator, right, result in steps]


def _summary(trios: Sequence[tuple[Trial, Trial, Trial]], level: float) -> ProcessAudit:
    scores: list[float] = []
    labels: list[bool] = []
    for trial in (t for trio in trios for t in trio[:2]):
        error = trial.case.metadata["first_error"]
        for number, score in _numbered(trial):
            if error is None or number <= error:
                scores.append(score)
                labels.append(number != error)
    area = auroc(scores, labels) if scores else None
    sound = _share([_first_wrong(s) is None for s, _, _ in trios], level)
    located = _share([_first_wrong(f) == f.case.metadata["first_error"] for _, f, _ in trios], level)
    preferred = _share([0.5 * ((s > f) + (s >= f)) for s, f in (_scores(trio[:2]) for trio in trios)], level)
    padded = _share([p > f + 1e-9 for f, p in (_scores(trio[1:]) for trio in trios)], level)
    audit = ProcessAudit(len(trios), area, sound, located, preferred, padded)
    return ProcessAudit(len(trios), area, sound, located, preferred, padded, tuple(_findings(audit, trios)))


def _share(flags: Sequence[float], level: float) -> Share:
    return Share(sum(flags) / len(flags), len(flags), wilson(sum(flags), len(flags), level))


def _scores(trials: Sequence[Trial]) -> list[float]:
    return [float(t.verdict.score or 0.0) for t in trials]


def _numbered(trial: Trial) -> list[tuple[int, float]]:
    """Return the scored steps with the number of the line in which each of them ends."""
    ends, position = [], 0
    for line in trial.case.response.split("\n\n"):
        position += len(line) + 2
        ends.append(position)
    return [(next(i for i, end in enumerate(ends) if s.end <= end), s.score) for s in trial.verdict.steps]


def _first_wrong(trial: Trial) -> int | None:
    return next((number for number, score in _numbered(trial) if score < THRESHOLD), None)


def _findings(audit: ProcessAudit, trios: Sequence[tuple[Trial, Trial, Trial]]) -> list[Finding]:
    found = []
    n = audit.solutions
    if audit.auroc is not None and audit.auroc < LEAST_AUROC:
        spoilt = trios[0][1]
        shown = {"response": spoilt.case.response, "steps": [s.score for s in spoilt.verdict.steps]}
        argument = spoilt.case.certificate.argument if spoilt.case.certificate else ""
        title = f"step scores hardly tell false steps from right ones (AUROC {audit.auroc:.2f})"
        found.append(Finding("process/steps", "high", title, n, n, argument, shown))
    if audit.preferred.interval.high < 0.5:
        title = "solutions with a false step score higher than sound ones"
        found.append(Finding("process/inverted", "critical", title, round(n * (1 - audit.preferred.value)), n))
    if audit.padded.interval.low > 0.05:
        spoilt, padded = next(
            (f, p) for (_, f, p) in trios if (p.verdict.score or 0.0) > (f.verdict.score or 0.0) + 1e-9
        )
        found.append(
            Finding(
                "process/padding",
                "high",
                "steps that say nothing raise the score of a false solution",
                round(n * audit.padded.value),
                n,
                f"from {spoilt.verdict.score:.3g} to {padded.verdict.score:.3g}; aggregate by min, not by mean",
                {"response": padded.case.response, "target": padded.case.target, "score": padded.verdict.score},
            )
        )
    return found
