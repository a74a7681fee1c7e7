"""Compare two verifiers on the same labelled cases: paired, exact, and by class.

McNemar's test looks only at the cases where one of them is right and the other is not. A case without a verdict is
not right. Several classes are several tests: their p-values are adjusted by Holm's method.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.audits.accuracy import Accuracy, measure
from assay.audits.adapters import AnyVerifier, resolve
from assay.audits.case import Case, Trial
from assay.audits.trials import RunLimits, run_cases
from assay.core.errors import ConfigError
from assay.core.stats import Difference, mcnemar, newcombe_paired

if TYPE_CHECKING:
    from assay.audits.report import AuditReport


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Cases on which two verifiers agree and differ."""

    both: int
    only_a: int
    """Cases that a alone judged rightly."""
    only_b: int
    neither: int
    p_value: float
    difference: Difference
    """Accuracy of b minus accuracy of a, with Newcombe's paired interval."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "both": self.both,
            "only_a": self.only_a,
            "only_b": self.only_b,
            "neither": self.neither,
            "p_value": self.p_value,
            "difference": list(self.difference),
        }


@dataclass(frozen=True, slots=True)
class ClassTest:
    """The comparison within one class."""

    cls: str
    test: PairedTest
    adjusted_p: float

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {"class": self.cls, "adjusted_p": self.adjusted_p, **self.test.to_json()}


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of two raters beyond chance."""

    observed: float
    kappa: float
    """Cohen's kappa; misleading where nearly everything is accepted."""
    pabak: float
    """Prevalence- and bias-adjusted kappa, `2 observed - 1` (Byrt et al. 1993)."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two verifiers on the same cases."""

    a: str
    b: str
    overall: PairedTest
    classes: tuple[ClassTest, ...]
    agreement: Agreement
    accuracy_a: Accuracy
    accuracy_b: Accuracy
    differing: tuple[tuple[Trial, Trial], ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "a": self.a,
            "b": self.b,
            "overall": self.overall.to_json(),
            "classes": [c.to_json() for c in self.classes],
            "agreement": {name: getattr(self.agreement, name) for name in self.agreement.__slots__},
            "accuracy_a": self.accuracy_a.to_json(),
            "accuracy_b": self.accuracy_b.to_json(),
            "differing": [
                {
                    "id": a.case.id,
                    "target": a.case.target,
                    "response": a.case.response,
                    "correct": a.case.correct,
                    "a": a.accepted,
                    "b": b.accepted,
                }
                for a, b in self.differing
            ],
        }


def compare(
    a: AnyVerifier,
    b: AnyVerifier,
    rows: Sequence[Case],
    *,
    options_a: Mapping[str, Any] | None = None,
    options_b: Mapping[str, Any] | None = None,
    limits: RunLimits = RunLimits(),  # noqa: B008 - frozen
    threshold: float | None = None,
    level: float = 0.95,
) -> Comparison:
    """Judge the same rows with two verifiers and compare them."""
    if not rows:
        raise ConfigError("a comparison needs at least one labelled row")
    first, second = resolve(a, options_a), resolve(b, options_b)
    trials_a = run_cases(first, rows, limits, threshold=threshold)
    trials_b = run_cases(second, rows, limits, threshold=threshold)
    return compare_trials(first.label, trials_a, second.label, trials_b, level=level)


def compare_report(report: AuditReport, a: AnyVerifier, b: AnyVerifier) -> Comparison:
    """Judge the cases that an audit of `a` leads with (labelled rows, else certified cases) with `b`, and compare.

    Both names are recipes as `resolve` takes them. `ConfigError` when the audit has no such cases.
    """
    best = report.headline
    if best is None or not best.trials:
        raise ConfigError("nothing to compare on: give labelled rows, or ask for certified cases")
    other = resolve(b)
    plan = report.plan
    trials = run_cases(other, [t.case for t in best.trials], plan.limits, threshold=plan.threshold)
    return compare_trials(resolve(a).label, best.trials, other.label, trials, level=plan.level)


def compare_trials(
    a: str, trials_a: Sequence[Trial], b: str, trials_b: Sequence[Trial], *, level: float = 0.95
) -> Comparison:
    """Compare trials of two verifiers on the same labelled cases in the same order."""
    if [t.case.id for t in trials_a] != [t.case.id for t in trials_b]:
        raise ConfigError("a paired comparison needs the same cases in the same order on both sides")
    pairs = [p for p in zip(trials_a, trials_b, strict=True) if p[0].case.correct is not None]
    if not pairs:
        raise ConfigError("a comparison needs at least one labelled case")
    by_class: dict[str, list[tuple[Trial, Trial]]] = defaultdict(list)
    for pair in pairs:
        by_class[pair[0].case.cls].append(pair)
    tests = {cls: paired_test(mine, level=level) for cls, mine in sorted(by_class.items())}
    adjusted = holm([t.p_value for t in tests.values()])
    return Comparison(
        a=a,
        b=b,
        overall=paired_test(pairs, level=level),
        classes=tuple(ClassTest(cls, test, p) for (cls, test), p in zip(tests.items(), adjusted, strict=True)),
        agreement=agreement([(x.accepted is True, y.accepted is True) for x, y in pairs]),
        accuracy_a=measure(trials_a, level=level),
        accuracy_b=measure(trials_b, level=level),
        differing=tuple((x, y) for x, y in pairs if x.accepted != y.accepted),
    )


def paired_test(pairs: Sequence[tuple[Trial, Trial]], *, level: float = 0.95) -> PairedTest:
    """Run McNemar's exact test on who judged rightly."""
    right = [(x.accepted == x.case.correct, y.accepted == y.case.correct) for x, y in pairs]
    both, only_a = right.count((True, True)), right.count((True, False))
    only_b, neither = right.count((False, True)), right.count((False, False))
    difference = newcombe_paired(both, only_a, only_b, neither, level)
    return PairedTest(both, only_a, only_b, neither, mcnemar(only_a, only_b), difference)


def agreement(pairs: Sequence[tuple[bool, bool]]) -> Agreement:
    """Return Cohen's kappa and PABAK of two raters. kappa is 1 when both give one and the same answer throughout."""
    n = len(pairs)
    observed = sum(x == y for x, y in pairs) / n
    yes_a, yes_b = sum(x for x, _ in pairs) / n, sum(y for _, y in pairs) / n
    chance = yes_a * yes_b + (1 - yes_a) * (1 - yes_b)
    kappa = (observed - chance) / (1 - chance) if chance < 1 else 1.0
    return Agreement(observed, kappa, 2 * observed - 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's step-down adjustment (Holm 1979), in the given order.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = running
    return adjusted
