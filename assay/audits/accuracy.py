"""Right and wrong calls of a verifier on labelled cases: confusion matrix, rates by class, stages, latency.

Invariants:

* FN rate = rejected right answers / right answers *with a verdict*; FP rate likewise for wrong ones. Cases without a
  verdict are counted apart, and bound the rates.
* A false negative is attributed to the first thing that failed: finding the answer (`extraction`), reading it
  (`parsing`), or comparing it (`comparison`). A grader that wants a box around the answer may still compare well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.audits.case import Trial
from assay.audits.rates import Rate, rate


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of labelled cases."""

    true_accept: int
    false_reject: int
    false_accept: int
    true_reject: int
    right_without_verdict: int
    wrong_without_verdict: int

    @property
    def total(self) -> int:
        """All labelled cases."""
        return sum(self.to_json().values())

    def to_json(self) -> dict[str, int]:
        """Return plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of a call, where the verifier ran."""

    n: int
    mean: float
    p50: float
    p99: float
    max: float

    def to_json(self) -> dict[str, float]:
        """Return plain data, in milliseconds."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class StageRow:
    """How often one stage of the verifier decided, and how it was wrong."""

    stage: str
    decided: int
    total: int
    false_negatives: int
    false_positives: int

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class ClassRow:
    """Error rates within one class of cases."""

    cls: str
    fn: Rate
    fp: Rate

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {"class": self.cls, "fn": self.fn.to_json(), "fp": self.fp.to_json()}


@dataclass(frozen=True, slots=True)
class Accuracy:
    """All that labelled cases say about a verifier."""

    confusion: Confusion
    fn: Rate
    fp: Rate
    classes: tuple[ClassRow, ...]
    status: Mapping[str, int]
    no_verdict: Mapping[str, int]
    """Cases without a verdict, by reason."""
    stages: tuple[StageRow, ...]
    fn_causes: Mapping[str, int]
    latency: Latency
    trials: tuple[Trial, ...]

    @property
    def disagreements(self) -> list[Trial]:
        """Trials where the verdict contradicts the label."""
        return [t for t in self.trials if t.error]

    def to_json(self) -> dict[str, Any]:
        """Return plain data: `n`, the rates with their intervals, and every disagreement with its reason."""
        return {
            "n": self.confusion.total,
            "fn_rate": self.fn.value,
            "fp_rate": self.fp.value,
            "fn_interval": list(self.fn.interval),
            "fp_interval": list(self.fp.interval),
            "fn": self.fn.to_json(),
            "fp": self.fp.to_json(),
            "confusion": self.confusion.to_json(),
            "status": dict(self.status),
            "no_verdict": dict(self.no_verdict),
            "latency": self.latency.to_json(),
            "stages": [row.to_json() for row in self.stages],
            "fn_causes": dict(self.fn_causes),
            "classes": [row.to_json() for row in self.classes],
            "disagreements": [describe(t) for t in self.disagreements],
            "accepted": {t.case.id: t.accepted for t in self.trials},
        }


def measure(trials: Sequence[Trial], *, stages: Iterable[str] = (), level: float = 0.95, seed: int = 0) -> Accuracy:
    """Measure a verifier on the labelled ones among `trials`.

    `stages` are those that the verifier declares: one that never decides is listed with 0.
    """
    labelled = [t for t in trials if t.case.correct is not None]

    def errors(among: Sequence[Trial], truth: bool) -> Rate:
        kind = [t for t in among if t.case.correct is truth]
        scored = [t for t in kind if t.accepted is not None]
        flags = [bool(t.error) for t in scored]
        groups = [t.case.group for t in scored]
        return rate(flags, groups, unscored=len(kind) - len(scored), level=level, seed=seed)

    fn, fp = errors(labelled, True), errors(labelled, False)
    names = sorted({t.case.cls for t in labelled})
    by_class = {name: [t for t in labelled if t.case.cls == name] for name in names}
    return Accuracy(
        confusion=Confusion(fn.n - fn.events, fn.events, fp.events, fp.n - fp.events, fn.unscored, fp.unscored),
        fn=fn,
        fp=fp,
        classes=tuple(ClassRow(name, errors(rows, True), errors(rows, False)) for name, rows in by_class.items()),
        status=_counted(labelled, lambda t: t.verdict.status),
        no_verdict=_counted([t for t in labelled if t.accepted is None], lambda t: t.verdict.reason),
        stages=_stage_table(labelled, stages),
        fn_causes=_counted([t for t in labelled if t.error == "FN"], _cause),
        latency=latency(trials),
        trials=tuple(labelled),
    )


def latency(trials: Sequence[Trial]) -> Latency:
    """Summarise how long the calls took."""
    ms = np.array([t.seconds for t in trials] or [0.0]) * 1e3
    p50, p99 = np.quantile(ms, [0.5, 0.99])
    return Latency(len(trials), float(ms.mean()), float(p50), float(p99), float(ms.max()))


def describe(trial: Trial) -> dict[str, Any]:
    """Return a trial as a row of the report."""
    case, verdict = trial.case, trial.verdict
    row: dict[str, Any] = {
        "id": case.id,
        "error": trial.error,
        "class": case.cls,
        "family": case.family,
        "target": case.target,
        "response": case.response,
        "correct": case.correct,
        "accepted": trial.accepted,
        "score": verdict.score,
        "status": verdict.status,
        "stage": verdict.stage,
        "extracted": verdict.extracted,
        "reason": verdict.reason,
        "ms": round(trial.seconds * 1e3, 3),
    }
    if case.certificate is not None:
        row["certificate"] = {name: getattr(case.certificate, name) for name in case.certificate.__slots__}
    return row


def _cause(trial: Trial) -> str:
    return {"no_answer": "extraction", "unparsable": "parsing"}.get(trial.verdict.status, "comparison")


def _stage_table(trials: Sequence[Trial], declared: Iterable[str]) -> tuple[StageRow, ...]:
    decided = [t for t in trials if t.accepted is not None]
    names = list(dict.fromkeys([*declared, *sorted({t.verdict.stage for t in decided if t.verdict.stage})]))
    rows = []
    for name in names:
        mine = [t for t in decided if t.verdict.stage == name]
        wrong = Counter(t.error for t in mine)
        rows.append(StageRow(name, len(mine), len(decided), wrong["FN"], wrong["FP"]))
    return tuple(rows)


def _counted(trials: Sequence[Trial], key: Callable[[Trial], str]) -> dict[str, int]:
    return dict(Counter(key(t) for t in trials).most_common())
