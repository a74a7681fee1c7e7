"""Lint and preference pairs: advice and data made from what verification found."""

import shutil

import pytest

from assay.core.verdict import no_verdict, right, wrong
from assay.sandboxes import JobResult
from assay.verifiers.verilog.flow import verilog_sandbox
from assay.verifiers.verilog.lint import lint
from assay.verifiers.verilog.pairs import preference_pair
from tests.verifiers.verilog.tools import RIGHT, needs_tools

PASS = right(parts={"outcome": 1.0, "synthesis": 1.0, "function": 1.0})
HALF = wrong("", parts={"outcome": 0.0, "synthesis": 1.0, "function": 0.5})
NONE = wrong("", parts={"outcome": 0.0, "synthesis": 1.0, "function": 0.0})
BROKEN = wrong("", parts={"outcome": 0.0, "synthesis": 0.0, "function": 0.0})


@pytest.mark.parametrize(
    ("verdicts", "pair"),
    [
        ([PASS, NONE], (0, 1)),
        ([NONE, HALF, PASS], (2, 0)),
        ([HALF, NONE], (0, 1)),
        ([PASS, PASS], None),
        ([PASS, BROKEN], None),
        ([PASS, no_verdict("fault"), HALF], (0, 2)),
        ([], None),
    ],
)
def test_pairs(verdicts, pair):
    assert preference_pair(verdicts) == pair


@needs_tools
@pytest.mark.skipif(shutil.which("verilator") is None, reason="lint needs Debian's verilator")
def test_lint():
    assert lint(verilog_sandbox(), RIGHT, "TopModule") == []
    (first, *_) = lint(verilog_sandbox(), RIGHT.replace("q + 1", "q + 9'd1"), "TopModule")
    assert "WIDTH" in first


def test_without_verilator_there_is_no_advice():
    class Bare:
        def run(self, job):
            return JobResult("nonzero", exit_code=127)

    assert lint(Bare(), RIGHT, "TopModule") is None
