"""The equivalence oracle is calibrated: what differs is never proved equal, in any way in which such tools lie."""

# ruff: noqa: E501

import pytest

from assay.verifiers.verilog.flow import verilog_sandbox
from assay.verifiers.verilog.formal import Answer, equivalence
from assay.verifiers.verilog.trace import read_interface
from tests.verifiers.verilog.tools import COUNTER, needs_tools

PORTS = read_interface([["clk", "input", 1], ["reset", "input", 1], ["en", "input", 1], ["q", "output", 4]])
COMBINATIONAL = read_interface([["a", "input", 2], ["y", "output", 2]])
ASYNCHRONOUS = COUNTER.replace("posedge clk)", "posedge clk or posedge reset)")
HEAD = "module RefModule(input clk, input reset, input en, output"

SAME = {
    "itself": (COUNTER, COUNTER),
    "itself with an asynchronous reset": (ASYNCHRONOUS, ASYNCHRONOUS),
    "another style": (COUNTER, COUNTER.replace("if (en) q <= q + 1", "q <= en ? q + 1 : q")),
    "counting down inside": (
        COUNTER,
        f"{HEAD} [3:0] q); reg [3:0] p; assign q = -p; always @(posedge clk) if (reset) p <= 0; else p <= p - en; endmodule",
    ),
    "known where the gold is not": (COUNTER.replace("q <= q + 1", "q <= 4'bx"), COUNTER),
}
DIFFERENT = {
    "operator": (COUNTER, COUNTER.replace("q + 1", "q - 1")),
    "edge": (COUNTER, COUNTER.replace("posedge", "negedge")),
    "reset is asynchronous": (COUNTER, ASYNCHRONOUS),
    "reset to another value": (COUNTER, COUNTER.replace("q <= 0", "q <= 1")),
    "no reset": (COUNTER, COUNTER.replace("if (reset) q <= 0; else ", "")),
    "no reset but zero at the start": (
        COUNTER,
        COUNTER.replace("if (reset) q <= 0; else ", "").replace("always", "initial q = 0; always"),
    ),
    "unknown where the gold is known": (COUNTER, COUNTER.replace("q <= q + 1", "q <= 4'bx")),
    "undriven": (COUNTER, f"{HEAD} [3:0] q); endmodule"),
    "partly undriven": (COUNTER, f"{HEAD} [3:0] q); reg [3:0] n; assign q[2:0] = n[2:0]; always @(posedge clk) if (reset)"
                        " n <= 0; else if (en) n <= n + 1; endmodule"),
    "wrong after 15 steps only": (COUNTER, COUNTER.replace("q + 1", "(q == 14) ? 0 : q + 1")),
    "latch": (COUNTER, f"{HEAD} reg [3:0] q); always @* if (clk) q = 0; endmodule"),
}  # fmt: skip


def decide(gold, gate, interface=PORTS):
    return equivalence(verilog_sandbox(), gold, gate, interface, gold_top="RefModule", gate_top="RefModule")


@needs_tools
@pytest.mark.parametrize("name", SAME)
def test_what_is_the_same_is_proved(name):
    found = decide(*SAME[name])
    assert found.answer is Answer.EQUIVALENT, found


@needs_tools
@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_is_never_proved_the_same(name):
    found = decide(*DIFFERENT[name])
    assert found.answer is not Answer.EQUIVALENT, found
    if name not in ("edge", "latch", "undriven", "partly undriven"):
        assert found.answer is Answer.DIFFERENT, found


@needs_tools
@pytest.mark.parametrize(
    ("gate", "answer"),
    [
        ("assign y = ~a;", Answer.EQUIVALENT),
        ("assign y = 2'b11 - a;", Answer.EQUIVALENT),
        ("assign y = a;", Answer.DIFFERENT),
        ("assign y = (a == 3) ? 2'bx : ~a;", Answer.DIFFERENT),
        ("assign y[1] = ~a[1];", Answer.UNKNOWN),
        ("assign y = ;", Answer.UNKNOWN),
    ],
)
def test_without_a_clock(gate, answer):
    head = "module RefModule(input [1:0] a, output [1:0] y);"
    gold = f"{head} assign y = ~a; endmodule"
    assert decide(gold, f"{head} {gate} endmodule", COMBINATIONAL).answer is answer


@needs_tools
def test_ports_that_differ():
    assert decide(COUNTER, COUNTER.replace("[3:0]", "[4:0]")).answer is Answer.DIFFERENT
