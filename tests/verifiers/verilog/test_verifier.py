"""The verdict on a design: right designs of any style pass, nothing else does, and what is unknown is no verdict."""

import pytest

from assay.audits.hardware.cheats import cheats
from assay.core.errors import ConfigError
from assay.sandboxes import Job, JobResult
from assay.verifiers.base import verify_text
from assay.verifiers.registry import make_verifier
from assay.verifiers.verilog.trace import read_interface
from assay.verifiers.verilog.verifier import VerilogVerifier
from tests.verifiers.verilog.tools import COUNTER, RIGHT, TARGET, answer, needs_tools

# ruff: noqa: E501

HEAD = "module TopModule(input clk, input reset, input en, output"
STYLES = {
    "as the reference": RIGHT,
    "other names": f"{HEAD} [3:0] q);\n reg [3:0] n; assign q = n;\n always @(posedge clk) n <= reset ? 4'd0 : n + en;\nendmodule",
    "SystemVerilog": f"{HEAD} logic [3:0] q);\n logic [3:0] d;\n always_comb d = q + 4'(en);\n"
    " always_ff @(posedge clk) q <= reset ? '0 : d;\nendmodule",
    "a submodule, parameters and macros": "`define W 4\nmodule inc #(parameter W = 8)(input [W-1:0] a, output [W-1:0] y);"
    f" assign y = a + 1; endmodule\n{HEAD} reg [`W-1:0] q);\n wire [3:0] n; inc #(.W(`W)) i (.a(q), .y(n));\n"
    " always @(posedge clk) if (reset) q <= 0; else if (en) q <= n;\nendmodule",
    "directives and comments": f"`timescale 1ns/1ps\n`default_nettype none\n{RIGHT.replace('input ', 'input wire ')}// done",
}
WRONG = {
    "reset is ignored": RIGHT.replace("reset)", "0)"),
    "enable is ignored": RIGHT.replace("en)", "1)"),
    "falling edge": RIGHT.replace("posedge", "negedge"),
    "counts down": RIGHT.replace("q + 1", "q - 1"),
    "too narrow": RIGHT.replace("[3:0] q)", "[2:0] q)"),
    "port missing": RIGHT.replace("input en, ", "").replace("en)", "1)"),
    "another module": COUNTER,
    "no Verilog": "module TopModule(input clk",
    "asynchronous reset": RIGHT.replace("posedge clk)", "posedge clk or posedge reset)"),
    "simulates otherwise than it is synthesised": f"{HEAD} reg [3:0] q);\n reg [3:0] n;\n"
    " always @(posedge clk) if (reset) q <= 0; else if (en) q <= n;\n always @(en) n = q + 1;\nendmodule",
}  # fmt: skip


@needs_tools
@pytest.mark.parametrize("style", STYLES)
def test_right_designs(style):
    verdict = verify_text(VerilogVerifier(), TARGET, answer(STYLES[style]))
    assert (verdict.score, verdict.correct) == (1.0, True), verdict


@needs_tools
@pytest.mark.parametrize("fault", WRONG)
def test_wrong_designs(fault):
    verdict = verify_text(VerilogVerifier(), TARGET, answer(WRONG[fault]))
    assert (verdict.score, verdict.correct) == (0.0, False), verdict


INTERFACE = read_interface([["clk", "input", 1], ["reset", "input", 1], ["en", "input", 1], ["q", "output", 4]])
CHEATS = cheats("TopModule", INTERFACE, COUNTER)


@needs_tools
@pytest.mark.parametrize("cheat", CHEATS)
def test_cheats_earn_nothing(cheat):
    target = {**TARGET, "cpu_seconds": 2}
    verdict = verify_text(VerilogVerifier(), target, answer(CHEATS[cheat]))
    assert (verdict.score, verdict.correct) == (0.0, False), verdict


@needs_tools
@pytest.mark.parametrize("cheat", ["later $finish", "hidden from the parser", "second testbench", "macro that hides"])
def test_cheats_add_nothing_to_a_right_design(cheat):
    """What a right design may not contain makes it wrong; what no tool sees changes nothing."""
    body = CHEATS[cheat].replace("assign q = 0;", "always @(posedge clk) if (reset) q <= 0; else if (en) q <= q + 1;")
    verdict = verify_text(VerilogVerifier(), TARGET, answer(body.replace("output [3:0] q", "output reg [3:0] q")))
    assert verdict.score == (1.0 if cheat == "hidden from the parser" else 0.0), verdict


@needs_tools
def test_graded_credit_pays_what_matches_beyond_the_best_constant():
    verifier = VerilogVerifier(credit="graded")
    half = verify_text(verifier, TARGET, answer(WRONG["asynchronous reset"]))
    assert 0.1 < half.score < 1.0
    assert half.parts["function"] < 1.0
    for name, floor in (("constant 0", 0.1), ("empty", 0.1), ("early $finish", 0.0)):
        assert verify_text(verifier, TARGET, answer(CHEATS[name])).score == floor
    assert verify_text(verifier, TARGET, answer(RIGHT)).score == 1.0


@needs_tools
def test_costs_count_for_right_designs_only():
    verifier = VerilogVerifier(ppa=0.5)
    assert verify_text(verifier, TARGET, answer(RIGHT)).score == pytest.approx(1.5)
    process = "always @(posedge clk) if (reset) p <= 0; else if (en) p <= p - 1;"
    wasteful = f"{HEAD} [3:0] q);\n reg [3:0] p; assign q = -p;\n {process}\nendmodule"
    verdict = verify_text(verifier, TARGET, answer(wasteful))
    assert verdict.correct
    assert 1.0 < verdict.score < 1.5
    assert verdict.details["costs"]["transistors"] > verdict.details["reference_costs"]["transistors"]
    assert verify_text(verifier, TARGET, answer(CHEATS["empty"])).score == 0.0


@needs_tools
def test_a_published_testbench_is_recorded_and_replayed():
    testbench = """`timescale 1ps/1ps
module tb; reg clk = 0; initial forever #5 clk = ~clk; reg reset = 1, en = 0; wire [3:0] a, b;
  initial begin $dumpfile("w.vcd"); $dumpvars(1, clk); @(posedge clk) reset <= 0; en <= 1;
    repeat (40) @(posedge clk) en <= $random; #1 $finish; end
  RefModule good1(.clk, .reset, .en, .q(a)); TopModule top1(.clk, .reset, .en, .q(b));
  always @(posedge clk, negedge clk) if (a !== (a ^ b ^ a)) $display("no");
endmodule"""
    target = {**TARGET, "testbench": testbench}
    verdict = verify_text(VerilogVerifier(), target, answer(RIGHT))
    assert verdict.correct
    assert 60 < verdict.details["samples"] < 90
    assert verify_text(VerilogVerifier(), target, answer(WRONG["enable is ignored"])).score == 0.0


@needs_tools
def test_a_prefix_is_continued():
    head, body = RIGHT.split(";\n", 1)
    target = {**TARGET, "prefix": head + ";\n"}
    for code in (body, RIGHT):
        assert verify_text(VerilogVerifier(), target, answer(code)).score == 1.0


@needs_tools
@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ({"top": "TopModule"}, "neither a reference nor a stimulus"),
        ({**TARGET, "top": "1"}, "top must name"),
        ({**TARGET, "reference": "module RefModule(input a, output b); endmodule"}, "never drives a known value"),
        ({**TARGET, "reference": "module RefModule(input a, output b); assign b = ; endmodule"}, "is no design"),
        ({**TARGET, "reference_top": "Other"}, "no module 'Other'"),
    ],
)
def test_a_gold_that_cannot_be_used_is_no_verdict(target, reason):
    verdict = verify_text(VerilogVerifier(), target, answer(RIGHT))
    assert verdict.score is None
    assert reason in verdict.reason


class Without:
    """A sandbox in which a tool is missing, or which fails."""

    def __init__(self, result):
        self.result = result

    def run(self, job: Job) -> JobResult:
        return self.result


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (JobResult("nonzero", stderr=b"ModuleNotFoundError: No module named 'pyslang'"), "assay-rl[verilog]"),
        (
            JobResult("nonzero", stderr=b"FileNotFoundError: No such file or directory: 'yosys'"),
            "Debian's package: yosys",
        ),
        (JobResult("internal_error", reason="lost"), "lost"),
    ],
)
def test_missing_tools_and_faults_are_no_verdict(result, reason):
    verdict = verify_text(VerilogVerifier(sandbox=Without(result)), TARGET, answer(RIGHT))
    assert verdict.score is None
    assert reason in verdict.reason


GIVEN = {
    "top": "TopModule",
    "ports": [["a", "input", 1], ["y", "output", 1]],
    "stimulus": {"rows": "0 1 0"},
    "expected": "1 0 1",
}


@pytest.mark.parametrize(
    ("stdout", "status"),
    [
        (b'{"stage": "done", "kind": "ok", "samples": "1\\n0\\n1\\n"}', "ok"),
        (b'{"stage": "done", "kind": "ok", "samples": "1\\n0\\n"}', "wrong"),
        (b'{"stage": "done", "kind": "ok", "samples": "1\\n0\\n1\\n1\\n"}', "wrong"),
        (b'{"stage": "done", "kind": "ok", "samples": "pass"}', "wrong"),
        (b'{"stage": "done", "kind": "ok", "twin": true, "samples": "11\\n00\\n10\\n"}', "wrong"),
        (b'{"stage": "done", "kind": "ok", "twin": true, "samples": "11\\n0x\\n1x\\n"}', "ok"),
        (b'{"score": 1}', "none"),
        (b"[" * 100_000, "none"),
        (b"", "none"),
    ],
)
def test_what_comes_back_is_read_strictly(stdout, status):
    """Even a design that took over the job must answer every sample; a job that ends in no report says nothing."""
    verdict = verify_text(VerilogVerifier(sandbox=Without(JobResult("ok", stdout=stdout))), GIVEN, answer(RIGHT))
    assert verdict.correct == {"ok": True, "wrong": False, "none": None}[status]


@pytest.mark.parametrize("status", ["cpu_limit", "memory_limit", "output_limit"])
def test_a_design_that_is_too_much_is_wrong(status):
    sandbox = Without(JobResult(status, reason="too much"))
    assert verify_text(VerilogVerifier(sandbox=sandbox), GIVEN, answer(RIGHT)).score == 0.0


def test_options_and_names():
    assert isinstance(make_verifier("verilog", credit="graded"), VerilogVerifier)
    with pytest.raises(ConfigError, match="unknown credit"):
        VerilogVerifier(credit="some")
    with pytest.raises(ConfigError, match="ppa"):
        VerilogVerifier(ppa=-1)
    assert verify_text(VerilogVerifier(), GIVEN, "I think so.").status == "no_answer"
    assert verify_text(VerilogVerifier(), GIVEN, "```verilog\nmodule TopModule(").status == "no_answer"
