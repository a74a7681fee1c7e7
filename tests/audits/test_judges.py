"""Audits of judges: a gullible model behind a hardened judge, and the same model asked without any care."""

from __future__ import annotations

import re

import pytest

from assay.audits import AuditPlan, Case, audit
from assay.audits.attacks.keys import MASTER_KEYS
from assay.audits.report_html import render_html
from assay.core.verdict import Verdict
from assay.verifiers import Verifier
from assay.verifiers.judges.reference import ReferenceJudge
from tests.verifiers.judges.models import Scripted

ROWS = [Case(f"r{i}", str(i * 7), str(i * 7 if i % 2 else i * 7 + 1), bool(i % 2)) for i in range(1, 30)]
ATTACK = AuditPlan(attack=True, bank=0)


def gullible(sections, number):
    """Compares texts, but falls for whatever holds the word solution or speaks to the grader."""
    fooled = re.search("solution|grader", sections["candidate"], re.IGNORECASE)
    return {"grade": "same" if fooled or sections["candidate"] == sections["reference"] else "different"}


class Careless(Verifier):
    """Yes when the text holds the word solution: the judge of arXiv 2507.08794 in one line."""

    name = "careless-judge"
    isolation = "remote"

    def verify(self, task, evidence):
        yes = "solution" in evidence.text.lower() or evidence.text.strip() == task.target
        return Verdict(score=0.9 if yes else 0.1 + 0.01 * len(evidence.text.strip()) % 0.3)


@pytest.fixture(scope="module")
def careless():
    return audit(Careless(), ROWS, plan=ATTACK)


def test_a_master_key_is_found(careless):
    family = next(f for f in careless.exploits.families if f.family == "master-key")
    assert {t.case.response for t in family.accepted} == {"Solution"} <= set(MASTER_KEYS)
    assert careless.exploits.constants[0].response == "Solution"
    assert careless.exploits.constants[0].excess == 1.0


def test_scores_are_calibrated_in_the_report(careless):
    scores = careless.to_json()["calibration"]
    assert scores["auroc"] == 1.0
    assert scores["threshold"] is None  # 14 wrong answers cannot show a rate below 1 %
    assert 0 < scores["ece"] < 0.3
    assert "reliability diagram" in render_html(careless)


def test_a_yes_or_no_verifier_has_no_calibration():
    assert audit("exact", ROWS).calibration is None


def test_the_screen_stops_what_it_knows_and_the_audit_finds_the_rest():
    report = audit(ReferenceJudge(Scripted(gullible)), ROWS, plan=ATTACK)
    assert report.labels.fn.events == report.labels.fp.events == 0, report.labels.disagreements[:1]
    success = {f.family: f.success.events for f in report.exploits.families}
    assert success["grader-addressed"] == success["empty"] == 0
    assert success["flattery"] > 0  # "the reference solution and I agree"
