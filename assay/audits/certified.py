"""Error rates on certified cases: by class and by mutator, conventions apart.

Cases whose certificate rests on a convention (percent signs, units, order of a list) are not errors whatever the
verifier says; the report only tells which way it takes them. Classes of the bank that a verifier does not support at
all, not even by accepting the gold itself, are listed and left out of the rates: a grader of integers need not know
intervals.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.audits.accuracy import Accuracy, measure
from assay.audits.case import Trial
from assay.audits.findings import Finding, repro, smallest
from assay.audits.mutators import BANK_PREFIX


@dataclass(frozen=True, slots=True)
class ConventionRow:
    """How a verifier takes a convention: how many of the answers that rest on it are accepted."""

    convention: str
    relation: str
    """`equal`: right under the convention; `different`: wrong without it."""
    accepted: int
    n: int

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Certified:
    """What certified cases say about a verifier."""

    accuracy: Accuracy
    families: dict[str, Accuracy]
    """By `class/mutator`, only those with an error."""
    conventions: tuple[ConventionRow, ...]
    unsupported: tuple[str, ...]
    """Classes of the bank in which the verifier does not even accept the gold."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return self.accuracy.to_json() | {
            "families": {
                name: {"fn": a.fn.to_json(), "fp": a.fp.to_json()} for name, a in sorted(self.families.items())
            },
            "conventions": [row.to_json() for row in self.conventions],
            "unsupported": list(self.unsupported),
        }

    def findings(self) -> list[Finding]:
        """Return what fooled the verifier: false accepts by class of gold, false rejects by way of writing."""
        found = self._dead()
        for error, by in (("FP", 0), ("FN", 1)):
            groups: dict[str, list[Trial]] = defaultdict(list)
            for t in self.accuracy.trials:
                if t.accepted is not None and t.case.correct is (error == "FN"):
                    groups[(_name(t.case.cls), t.case.family)[by]].append(t)
            for name, mine in groups.items():
                failed = [t for t in mine if t.error == error]
                if failed:
                    found.append(_finding(error, name, failed, len(mine)))
        return found

    def _dead(self) -> list[Finding]:
        """Find classes where nothing but the gold itself is accepted: a comparison that never fires."""
        by_class: dict[str, list[Trial]] = defaultdict(list)
        for t in self.accuracy.trials:
            if t.case.correct and t.accepted is not None and t.case.family != "identity" and not _trivial(t):
                by_class[t.case.cls].append(t)
        dead = {cls: mine for cls, mine in by_class.items() if len(mine) >= 5 and not any(t.accepted for t in mine)}
        if not dead:
            return []
        shown = ", ".join(f"{_name(cls)} (0 of {len(mine)})" for cls, mine in dead.items())
        return [
            Finding(
                kind="dead-capability",
                severity="high",
                title=f"no rewritten answer is accepted in {len(dead)} of {len(by_class)} classes",
                count=len(dead),
                total=len(by_class),
                detail=f"{shown}. Only the gold's own text passes: what should compare such values is dead or missing.",
                repro=repro(smallest([t for mine in dead.values() for t in mine])),
            )
        ]


def _name(cls: str) -> str:
    """Return the class without the mark of the bank: a defect is the same wherever the gold came from."""
    return cls.removeprefix(BANK_PREFIX)


def _finding(error: str, name: str, failed: Sequence[Trial], total: int) -> Finding:
    shown = smallest(failed)
    answer, gold = _short(shown.case.answer), _short(str(shown.case.target))
    by = Counter(t.case.family if error == "FP" else _name(t.case.cls) for t in failed)
    return Finding(
        kind=f"certified/{'false-accept' if error == 'FP' else 'false-reject'}/{name}",
        severity="high" if error == "FP" else "medium",
        title=(
            f"accepts other values of class {name!r}: {answer} for {gold}"
            if error == "FP"
            else f"rejects equal values written otherwise ({name}): {answer} for {gold}"
        ),
        count=len(failed),
        total=total,
        detail=", ".join(f"{what} ({n})" for what, n in by.most_common()),
        repro=repro(shown),
    )


def _short(text: str, width: int = 40) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _trivial(trial: Trial) -> bool:
    """Whether the rewrite is undone by dropping spaces and dollars: any string comparison passes it."""
    return trial.case.family in ("dollars", "outer-space", "spaced", "unspaced")


def measure_certified(trials: Sequence[Trial], *, level: float = 0.95, seed: int = 0) -> Certified:
    """Measure a verifier on certified cases."""
    unsupported = _unsupported(trials)
    refused = {t.case.group for t in trials if t.case.family == "identity" and t.accepted is not True}
    # A gold that is not even its own answer says so once, not with each of its mutants.
    usable = [
        t
        for t in trials
        if t.case.cls not in unsupported and (t.case.family == "identity" or t.case.group not in refused)
    ]
    hard = [t for t in usable if not _convention(t)]
    by_family: dict[str, list[Trial]] = defaultdict(list)
    for t in hard:
        by_family[f"{t.case.cls}/{t.case.family}"].append(t)
    failed = {name: mine for name, mine in by_family.items() if any(t.error for t in mine)}
    return Certified(
        accuracy=measure(hard, level=level, seed=seed),
        families={name: measure(mine, level=level, seed=seed) for name, mine in failed.items()},
        conventions=_conventions(usable),
        unsupported=tuple(sorted(unsupported)),
    )


def _convention(trial: Trial) -> str:
    return trial.case.certificate.convention if trial.case.certificate else ""


def _conventions(trials: Sequence[Trial]) -> tuple[ConventionRow, ...]:
    groups: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for t in trials:
        if t.case.certificate and t.case.certificate.convention and t.accepted is not None:
            groups[t.case.certificate.convention, t.case.certificate.relation].append(bool(t.accepted))
    return tuple(ConventionRow(c, relation, sum(v), len(v)) for (c, relation), v in sorted(groups.items()))


def _unsupported(trials: Sequence[Trial]) -> set[str]:
    identity: dict[str, list[bool]] = defaultdict(list)
    for t in trials:
        if t.case.cls.startswith(BANK_PREFIX) and t.case.family == "identity":
            identity[t.case.cls].append(t.accepted is True)
    return {cls for cls, accepted in identity.items() if not any(accepted)}
