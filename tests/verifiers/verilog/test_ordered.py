"""Long chains of logic in netlists are calculated in order, and what is no plain logic stays as it is."""

import pytest

pytest.importorskip("pyslang", reason="the parser needs pyslang: pip install 'assay-rl[verilog]'")

from assay.verifiers.base import verify_text
from assay.verifiers.verilog.inside.ordered import ordered
from assay.verifiers.verilog.verifier import VerilogVerifier
from tests.verifiers.verilog.tools import answer, needs_tools

HEAD = "module T(a, y);\n  wire _0_;\n  wire [3:0] \\b.c ;\n  input [3:0] a;\n  wire [3:0] a;\n  output [1:0] y;\n"
CHAIN = (
    "  assign y[1] = \\b.c [2] ^ _0_;\n  assign { y[0], \\b.c } = a + 4'hz1;\n  assign _0_ = $signed(y[0]) - a[3];\n"
)
PLAIN = HEAD + "  wire [1:0] y;\n" + CHAIN.replace("hz1", "h1") + "endmodule\n"


def test_a_chain_becomes_a_process_in_its_order():
    text = ordered(PLAIN, 3)
    assert text.replace("reg ", "wire ").startswith(HEAD)
    assert [line for line in text.splitlines() if line.startswith("  reg")] == [
        "  reg _0_;", "  reg [3:0] \\b.c ;", "  reg [1:0] y;",
    ]  # fmt: skip
    assert text.partition("  always")[2].splitlines() == [
        " begin", "    { y[0], \\b.c } = a + 4'h1;", "    _0_ = $signed(y[0]) - a[3];", "    y[1] = \\b.c [2] ^ _0_;",
        "    @(a);", "  end", "endmodule",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),  # four links are asked for below
        ("4'h1", "4'hz"),  # a driver that lets go
        ("a + 4'h1", "\\b.c + 4'h1"),  # a loop
        ("a + 4'h1", "memory[a]"),  # read from what is no vector
        ("endmodule", "  always @(posedge a[0])\n    _0_ <= y[1];\nendmodule"),
        ("endmodule", "  \\$fa  _1_ (\n    .A(a)\n  );\nendmodule"),
    ],
)
def test_what_is_no_long_chain_of_plain_logic_stays(old, new):
    netlist = PLAIN.replace(old, new)
    assert ordered(netlist, 3 if old else 4) == netlist


def test_what_lets_go_stays_outside_of_the_process():
    text = ordered(PLAIN.replace("$signed(y[0])", "1'bz"), 1)
    assert "  assign _0_ = 1'bz - a[3];\n" in text
    assert "    @(_0_ or a);" in text


DIGITS = """module RefModule(input [95:0] a, b, input cin, output reg cout, output reg [95:0] sum);
  integer i; reg [4:0] t;
  always @* begin
    cout = cin;
    for (i = 0; i < 24; i = i + 1) begin
      t = a[4*i +: 4] + b[4*i +: 4] + cout; cout = t > 9; sum[4*i +: 4] = cout ? t + 6 : t;
    end
  end
endmodule"""
WIRED = """module digit(input [3:0] a, b, input c, output d, output reg [3:0] s);
  wire [4:0] t = a + b + c; assign d = t > 9;
  always @* case ({d, t[4]}) 2'b00: s = t[3:0]; 2'b10: s = t - 10; default: s = t + 6; endcase
endmodule
module TopModule(input [95:0] a, b, input cin, output cout, output [95:0] sum);
  wire [24:0] c; assign c[0] = cin, cout = c[24];
  genvar i; generate for (i = 0; i < 24; i = i + 1) begin : g
    digit d(a[4*i +: 4], b[4*i +: 4], c[i], c[i + 1], sum[4*i +: 4]);
  end endgenerate
endmodule"""


@needs_tools
@pytest.mark.parametrize(
    ("old", "new", "correct"), [("", "", True), ("t - 10", "t - 9", False), ("c[i],", "c[i] | (i == 23),", False)]
)
def test_long_chains_are_judged_by_their_netlist_too(old, new, correct):
    target = {"top": "TopModule", "reference": DIGITS, "cycles": 64}
    verdict = verify_text(VerilogVerifier(), target, answer(WIRED.replace(old, new)))
    assert (verdict.correct, verdict.details["netlist"]) == (correct, True), verdict
