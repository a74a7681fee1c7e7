"""Right designs pass and wrong ones fail in the styles that the simulator or the synthesiser cannot read themselves."""

import pytest

pytest.importorskip("pyslang", reason="the parser needs pyslang: pip install 'assay-rl[verilog]'")

from assay.verifiers.base import verify_text
from assay.verifiers.verilog.inside.flatten import flatten
from assay.verifiers.verilog.verifier import VerilogVerifier
from tests.verifiers.verilog.tools import RIGHT, answer, needs_tools
from tests.verifiers.verilog.written import DESIGNS, HEADS, REFERENCES

# ruff: noqa: E501


@needs_tools
@pytest.mark.parametrize(("part", "name"), DESIGNS)
def test_a_right_design_passes_and_its_slip_does_not(part, name):
    body, old, new = DESIGNS[part, name]
    assert old in body
    target = {"top": "TopModule", "reference": REFERENCES[part], "reference_top": "RefModule", "cycles": 128}
    for text, correct in ((body, True), (body.replace(old, new), False)):
        verdict = verify_text(VerilogVerifier(), target, answer(f"{HEADS[part]}\n{text}\nendmodule"))
        assert (verdict.score, verdict.correct) == (float(correct), correct), verdict


LIFE = """module TopModule(input [255:0] q, output logic [255:0] y);
  logic [15:0] g [0:15]; logic [3:0] up, down, left, right;
  always_comb begin
    for (int r = 0; r < 16; r++) g[r] = q[r*16 +: 16];
    for (int r = 0; r < 16; r++) for (int c = 0; c < 16; c++) begin
      up = r - 1; down = r + 1; left = c - 1; right = c + 1;
      y[r*16 + c] = g[up][left] ^ g[up][c] ^ g[up][right] ^ g[r][left] ^ g[r][right] ^ g[down][left] ^ g[down][c] ^ g[down][right];
    end
  end
endmodule"""


@pytest.mark.slow
@needs_tools
def test_what_synthesis_takes_too_long_over_is_simulated_alone():
    reference = """module RefModule(input [255:0] q, output [255:0] y);
  genvar r, c; generate for (r = 0; r < 16; r = r + 1) begin : a for (c = 0; c < 16; c = c + 1) begin : b
    wire [3:0] u = r + 15, d = r + 1, l = c + 15, k = c + 1;
    assign y[r*16 + c] = q[{u, l}] ^ q[16*u + c] ^ q[{u, k}] ^ q[16*r + l] ^ q[16*r + k] ^ q[{d, l}] ^ q[16*d + c] ^ q[{d, k}];
  end end endgenerate
endmodule"""
    target = {"top": "TopModule", "reference": reference, "cycles": 32}
    verdict = verify_text(VerilogVerifier(), target, answer(LIFE))
    assert verdict.correct, verdict
    assert verdict.details["netlist"] is False
    assert verify_text(VerilogVerifier(), target, answer(LIFE.replace("c + 1", "c + 2"))).correct is False


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("logic [1:0][3:0] v; always_comb v[s] = a; assign y = v[1][2:1];", "logic [7:0] v; always_comb v[(s)*4 +: 4] = a; assign y = v[6:5];"),
        ("logic [0:1][0:3] v; assign y = v[0][s + 1'b1];", "logic [7:0] v; assign y = v[7 - {s + 1'b1}];"),
        ("logic [2:1][3:0] v; assign y = v[s +: 1];", "logic [7:0] v; assign y = v[(s)*4 + -4 +: 4];"),
        ("struct packed {logic signed [2:0] n; logic m;} v; assign v.n = 1; assign y = v.n;", "logic [3:0] v; assign v[3:1] = 1; assign y = $signed(v[3:1]);"),
        ("logic [7:0] v; always_comb v[s] = a[0]; assign y = v[5:2];", None),
    ],
)  # fmt: skip
def test_packed_items_are_put_where_they_lie(body, expected):
    head = "module T(input [1:0] s, input [3:0] a, output [3:0] y); "
    assert flatten(f"{head}{body} endmodule", "T") == f"{head}{expected or body} endmodule"


def test_what_differs_between_instances_is_left_alone():
    item = "module item #(parameter W = 2)(input [1:0][W-1:0] x, output [W-1:0] y); assign y = x[1]; endmodule\n"
    once = item + "module T(input [3:0] a, output [1:0] y); item #(2) i(a, y); endmodule"
    twice = (
        item + "module T(input [3:0] a, output [1:0] y); item #(2) i(a, y); wire z; item #(1) j(a[1:0], z); endmodule"
    )
    assert "[3:0]x" in flatten(once, "T")
    assert flatten(twice, "T") == twice
    assert flatten(RIGHT, "TopModule") == RIGHT
