import json
from dataclasses import replace

import pytest

from assay.audits import FULL, AuditPlan, Case, RunLimits, audit
from assay.core.errors import ConfigError
from tests.audits import fixtures

ROWS = [
    Case("a", "1/2", "0.5", True, cls="number", cluster="p"),
    Case("b", "1/2", "1/3", False, cls="number", cluster="p"),
    Case("c", "12", "12", True, cls="number"),
    Case("d", "-7", "7", False, cls="sign"),
]
QUICK = replace(FULL, cases=300, attacks=200, bank=2, hostile=RunLimits(seconds=0.5, memory_mb=1024))


@pytest.fixture(scope="module")
def honest():
    return audit(fixtures.Rational(), ROWS, plan=QUICK)


def test_an_honest_grader_of_fractions(honest):
    assert honest.to_json()["fp_rate"] == honest.to_json()["fn_rate"] == 0.0
    assert honest.frame == "{answer}"
    certified = honest.certified
    assert certified.accuracy.fp.events == 0
    assert {"bank/interval", "bank/word", "bank/polynomial"} <= set(certified.unsupported)
    assert honest.exploits.ceiling.success.value == 0.0
    kinds = {f.kind for f in honest.findings}
    assert not any(k.startswith(("attack/", "certified/false-accept", "code-", "thread-", "label/")) for k in kinds)
    assert any(k.startswith("certified/false-reject") for k in kinds)  # it cannot read LaTeX


def test_the_json_is_plain_and_complete(honest):
    data = json.loads(json.dumps(honest.to_json(), allow_nan=False))
    assert {"n", "fn_rate", "fp_rate", "fn_interval", "fp_interval", "status", "latency"} <= set(data)
    assert {"p50", "p99", "max"} <= set(data["latency"])
    assert data["attacks"]["ceiling"]["success"]["n"] > 0
    assert data["training"]["youden_j"] == 1.0
    disagreement = data["certified"]["disagreements"][0]
    assert disagreement["certificate"]["argument"]


def test_every_finding_but_general_ones_has_a_repro(honest):
    for finding in honest.findings:
        assert finding.repro is not None
        assert 0 < finding.count <= finding.total


def test_a_grader_of_boxes_is_tried_in_boxes():
    import re

    def boxed(completion, answer):
        found = re.findall(r"\\boxed\{(.*)\}", completion)
        return bool(found) and found[-1] == str(answer)

    report = audit(boxed, ROWS[2:3], plan=AuditPlan(certified=True, bank=0))
    assert "boxed" in report.frame
    accepted = {row.frame: row.accepted for row in report.frames}
    assert accepted["{answer}"] == 0
    assert report.certified.accuracy.fn_causes.get("extraction") is None


def test_a_string_comparison_is_a_dead_capability():
    report = audit(fixtures.Exact(), plan=AuditPlan(certified=True, bank=4))
    (dead,) = [f for f in report.findings if f.kind == "dead-capability"]
    assert "polynomial (0 of" in dead.detail
    assert "fraction (0 of" in dead.detail


def test_a_grader_without_any_sense_is_a_finding():
    plan = AuditPlan(attack=True, attacks=20, hostile=RunLimits(seconds=1))
    report = audit(lambda completion, answer: False, plan=plan)
    assert "gold-rejected" in {f.kind for f in report.findings}


def test_the_worst_is_first():
    report = audit(fixtures.always, ROWS, plan=AuditPlan(attack=True, attacks=60, hostile=RunLimits(seconds=1)))
    order = ["critical", "high", "medium", "info"]
    ranks = [order.index(f.severity) for f in report.findings]
    assert ranks == sorted(ranks)
    assert report.findings[0].severity == "critical"
    assert report.exploits.ceiling.success.value == 1.0


def test_scores_that_are_no_scores_are_no_verdicts():
    report = audit(fixtures.reads_reward, ROWS, plan=AuditPlan(attack=True, attacks=280, hostile=RunLimits(seconds=1)))
    odd = next(r for r in report.exploits.families if r.family == "odd-score")
    assert odd.success.unscored > 0
    assert any(f.kind == "odd-score" for f in report.findings)


def test_bad_plans():
    with pytest.raises(ConfigError, match="placeholder"):
        AuditPlan(frame="boxed")
    with pytest.raises(ConfigError, match="between 0 and 1"):
        AuditPlan(level=95)
    with pytest.raises(ConfigError, match="nothing to audit on"):
        audit(fixtures.exact)


def test_golds_that_are_no_texts():
    def same_call(completion, answer):
        return json.loads(completion) == answer if completion.startswith("{") else "call" in completion

    call = {"name": "f", "arguments": {"x": 1}}
    rows = [
        Case("a", call, json.dumps(call), True),
        Case("b", call, '{"name": "g", "arguments": {}}', False),
        Case("c", {"name": "g", "arguments": {}}, '{"name": "g", "arguments": {}}', True),
    ]
    report = audit(same_call, rows, plan=QUICK)
    assert report.to_json()["fn_rate"] == 0.0
    assert {r.family for r in report.exploits.families} == {
        "master-key", "opener", "empty", "printed-verdict", "gibberish", "odd-score",
    }  # fmt: skip
    assert report.certified.accuracy.confusion.total == 0
    json.dumps(report.to_json(), allow_nan=False)
