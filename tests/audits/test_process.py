"""Step scores under audit: sound, blind, inverted and gullible scorers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest

from assay.audits import AuditPlan, audit
from assay.audits.adapters import resolve
from assay.audits.process import ProcessAudit, audit_process
from assay.audits.trials import run_cases
from assay.verifiers import Verifier
from assay.verifiers.process.arithmetic_steps import ArithmeticStepsVerifier
from assay.verifiers.process.prm import PRMVerifier


class Scorer:
    """Scores each step by a function of its text."""

    def __init__(self, score: Callable[[str], float]) -> None:
        self.score = score

    def score_steps(self, problem: str, steps: Sequence[str]) -> list[float]:
        return [self.score(step) for step in steps]


def holds(step: str) -> bool:
    found = re.fullmatch(r"(-?\d+) ([-+*]) (-?\d+) = (-?\d+)", step.strip())
    if found is None:
        return True
    a, op, b, c = found.groups()
    return {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[op] == int(c)


def sees(step: str) -> float:
    return 0.9 if holds(step) else 0.2


def audited(verifier: Verifier) -> ProcessAudit:
    source = resolve(verifier)
    found = audit_process(lambda cases: run_cases(source, cases))
    assert found is not None
    return found


def test_a_scorer_that_sees_errors_passes() -> None:
    found = audited(PRMVerifier(Scorer(sees)))
    assert (found.auroc, found.f1, found.preferred.value, found.padded.value) == (1.0, 1.0, 1.0, 0.0)
    assert found.findings == ()
    assert found.solutions == 40


def test_exact_arithmetic_finds_every_error() -> None:
    found = audited(ArithmeticStepsVerifier())
    assert (found.auroc, found.f1) == (1.0, 1.0)


def test_the_solutions_are_spoilt_in_exactly_one_step() -> None:
    seen: dict[str, list[str]] = {}

    def note(cases):
        for case in cases:
            seen[case.id] = case.response.split("\n\n")
        return run_cases(resolve(ArithmeticStepsVerifier()), cases)

    audit_process(note)
    for number in range(40):
        sound, spoilt = seen[f"process/{number}/sound"], seen[f"process/{number}/spoilt"]
        assert all(map(holds, sound))
        assert [holds(step) for step in spoilt].count(False) == 1
        assert seen[f"process/{number}/padded"][: len(spoilt)] == spoilt


@pytest.mark.parametrize(
    ("score", "aggregator", "kind"),
    [
        (lambda step: 0.8, "min", "process/steps"),
        (lambda step: 1 - sees(step), "mean", "process/inverted"),
        (sees, "mean", "process/padding"),
    ],
)
def test_what_is_wrong_is_found(score: Callable[[str], float], aggregator: str, kind: str) -> None:
    found = audited(PRMVerifier(Scorer(score), aggregator=aggregator))
    assert kind in {f.kind for f in found.findings}
    assert all(f.repro or f.kind == "process/inverted" for f in found.findings)


def test_a_verifier_without_steps_has_no_such_part() -> None:
    def exact(completion: str, answer: str) -> bool:
        return completion == answer

    assert audit(exact, plan=AuditPlan(certified=True, bank=1)).process is None


def test_the_report_of_a_reward_model() -> None:
    report = audit(PRMVerifier(Scorer(sees), aggregator="mean", threshold=0.5), plan=AuditPlan(attack=True, attacks=40))
    data = report.to_json()
    assert data["process"]["f1"] == 1.0
    assert "process/padding" in {f["kind"] for f in data["findings"]}
