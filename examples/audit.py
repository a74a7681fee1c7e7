"""Audit verifiers: the one of examples/verifier.py, and a plain function as found in many training scripts.

    python examples/audit.py

docs/audit.md explains the numbers.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from assay.audits import AuditPlan, AuditReport, audit, load_labels

sys.path.insert(0, str(Path(__file__).parent))

ROWS = [
    ("90 min", "Answer: 90 min", 1),
    ("90 min", "Answer: 1 h 30 min", 1),
    ("90 min", "Answer: 1.5 hours", 1),
    ("90 min", "Answer: an hour and a half", 1),
    ("90 min", "Answer: 190 min", 0),
    ("90 min", "Not 90 min but less. Answer: 80 min", 0),
    ("90 min", "Answer: 90 s", 0),
    ("2 h", "Answer: 120 minutes", 1),
    ("2 h", "Answer: 2 h", 1),
    ("2 h", "Answer: 12 h", 0),
    ("2 h", "Answer: 2 min", 0),
    ("2 h", "", 0),
]


def contains(completion: str, answer: str) -> bool:
    """The shortcut to be audited: right when the gold occurs anywhere in the completion."""
    return answer in completion


def show(report: AuditReport) -> None:
    """Print the error rates, the disagreements, and what attacks achieve."""
    assert report.labels is not None
    print(f"\n{report.verifier}")
    for name, rate in (("false negatives", report.labels.fn), ("false positives", report.labels.fp)):
        low, high = rate.interval
        print(f"  {name}: {rate.events} of {rate.n}, 95 % interval {low:.2f} to {high:.2f}")
    for trial in report.labels.disagreements:
        print(f"  {trial.error}: gold {trial.case.target!r}, response {trial.case.response!r}")
    assert report.exploits is not None
    worst = max(report.exploits.families, key=lambda row: row.success.value or 0.0)
    print(f"  most successful attack: {worst.family}, accepted {worst.success.events} of {worst.success.n}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "labels.jsonl"
        rows = [
            {"id": str(number), "target": target, "response": response, "correct": correct}
            for number, (target, response, correct) in enumerate(ROWS)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        labels = load_labels(path)
    plan = AuditPlan(attack=True, attacks=100, frame="Answer: {answer}")
    for verifier in ("verifier:DurationVerifier", "audit:contains"):
        show(audit(verifier, labels, plan=plan))
