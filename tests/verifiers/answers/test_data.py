"""Error rates on real labelled answers, when they are there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from assay.verifiers.answers.verifier import MathVerifier

DATA = os.environ.get("ASSAY_DATA")
pytestmark = pytest.mark.skipif(DATA is None, reason="set ASSAY_DATA to the folder of labelled answers")


def rows(name: str) -> list[dict[str, Any]]:
    path = Path(DATA or ".") / name
    if not path.exists():
        pytest.skip(f"no {name} in ASSAY_DATA")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_error_rates_on_undisputed_answers() -> None:
    verifier = MathVerifier(worker=False)
    chosen = [r for r in rows("answer_pairs.jsonl") if not r.get("dispute") and r["level"] == "answer"]
    given = [bool(verifier.verify_answer(r["target"], r["response"]).correct) for r in chosen]
    positives = sum(bool(r["correct"]) for r in chosen)
    missed = sum(bool(r["correct"]) and not g for r, g in zip(chosen, given, strict=True))
    accepted = sum(g and not r["correct"] for r, g in zip(chosen, given, strict=True))
    assert missed / positives <= 0.06
    assert accepted / (len(chosen) - positives) <= 0.004


def test_agreement_on_model_solutions() -> None:
    verifier = MathVerifier(worker=False)
    solutions = rows("math_responses_odd.jsonl")
    differ = [
        r for r in solutions if bool(verifier.verify_answer(r["target"], r["response"]).correct) != bool(r["correct"])
    ]
    assert len(differ) <= len(solutions) // 200
