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
