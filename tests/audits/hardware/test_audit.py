"""Auditing graders of designs: ours is found clean, and each peer's known defect is found."""

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from assay.audits.hardware import DESIGN_PLAN, PEERS, PeerGrader, audit_designs
from assay.audits.hardware.cases import attack_designs, certified_designs, know
from assay.audits.hardware.cheats import cheats
from assay.cli.app import app
from assay.core.errors import DataError, UnknownNameError
from assay.core.task import Task
from assay.verifiers.base import verify_text
from assay.verifiers.verilog.flow import verilog_sandbox
from assay.verifiers.verilog.golden import GoldenSource
from assay.verifiers.verilog.trace import read_interface
from tests.verifiers.verilog.tools import COUNTER, RIGHT, TARGET, answer, needs_tools

TASK = Task("counter", "Count.", {**TARGET, "cycles": 64}, metadata={"solution": RIGHT})
PLAN = replace(DESIGN_PLAN, cases=9, attacks=36)


@needs_tools
def test_certificates():
    known = know(verilog_sandbox(), TASK, GoldenSource(), 0)
    cases = certified_designs(verilog_sandbox(), known, np.random.default_rng(0))
    assert [case.family for case in cases[:4]] == ["identity", "wrapped", "inverted twice", "commented"]
    wrong = [case for case in cases if not case.correct]
    assert len(wrong) >= 3
    assert all("sample" in case.certificate.argument for case in wrong)
    attacks = attack_designs([known])
    assert len(attacks) == len(cheats("T", known.golden.interface, RIGHT)) >= 30
    assert not any(case.correct for case in attacks)


@needs_tools
def test_our_verifier_is_found_clean():
    report = audit_designs("verilog", [TASK], plan=PLAN)
    assert report.findings == ()
    assert report.certified is not None
    data = report.to_json()["certified"]
    assert (data["fn"]["events"], data["fp"]["events"], data["no_verdict"]) == (0, 0, {})


DEFECTS = {
    "verilog-eval": ("printed at the end", "hierarchical read"),
    "rtllm": ("printed pass line", "hierarchical read"),
    "chipseek": ("printed pass line", "$fopen"),
    "codev-r1": ("printed pass line", "upward read"),
    "verireason": ("later $finish", "hierarchical read"),
}
INTERFACE = read_interface([["clk", "input", 1], ["reset", "input", 1], ["en", "input", 1], ["q", "output", 4]])


@needs_tools
@pytest.mark.parametrize("peer", PEERS)
def test_peers_judge_honest_designs_and_have_their_defects(peer):
    grader = PeerGrader(peer)
    assert verify_text(grader, TASK.target, answer(RIGHT)).score == 1.0
    assert verify_text(grader, TASK.target, answer(RIGHT.replace("en)", "1)"))).score == 0.0
    made = cheats("TopModule", INTERFACE, COUNTER)
    paid = [name for name in DEFECTS[peer] if verify_text(grader, TASK.target, answer(made[name])).score == 1.0]
    assert paid, DEFECTS[peer]


@needs_tools
def test_a_peers_defect_is_a_critical_finding():
    report = audit_designs(PeerGrader("rtllm"), [TASK], plan=replace(PLAN, certified=False))
    assert any("printed pass line" in finding.title for finding in report.findings)


@needs_tools
def test_from_the_command_line(tmp_path):
    (tmp_path / "Prob1_counter_prompt.txt").write_text("Count.")
    (tmp_path / "Prob1_counter_ref.sv").write_text(COUNTER)
    (tmp_path / "Prob1_counter_test.sv").write_text("")
    done = CliRunner().invoke(app, ["audit", "verilog", "--tasks", str(tmp_path), "--certified"])
    assert done.exit_code == 0, done.output
    assert "certified" in done.output


def test_what_cannot_be_audited():
    with pytest.raises(DataError, match="no task has a reference"):
        audit_designs("verilog", [replace(TASK, target={"top": "T"})])
    with pytest.raises(UnknownNameError, match="rtllm"):
        PeerGrader("rtlm")
