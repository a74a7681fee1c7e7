"""The gate, called directly: what it refuses, and that it hands on only what it has seen."""

import pytest

pytest.importorskip("pyslang", reason="the gate needs pyslang: pip install 'assay-rl[verilog]'")

from assay.verifiers.verilog.inside.gate import FUNCTIONS, examine
from tests.verifiers.verilog.tools import RIGHT

SHELL = "module T(input a, output y);\n{}\nendmodule"
REFUSED = {
    "initial $finish;": True,
    "initial $system(1);": True,
    'initial $fdisplay(1, "x");': True,
    "initial $dumpvars;": True,
    "initial force y = 1;": True,
    "assign y = $root.tb.y;": True,
    "assign y = $unit::y;": True,
    'import "DPI-C" function int f();': True,
    'initial $display("x");': False,
    "assign y = $random;": False,
    "initial fork join": False,
    "class C; endclass": False,
}


@pytest.mark.parametrize("body", REFUSED)
def test_refused(body):
    found = examine(SHELL.format(body), "T")
    assert found["kind"] == "refused", found
    assert found["tampering"] == REFUSED[body]


@pytest.mark.parametrize("body", ["assign y = tb.y;", "Missing m();", "assign y = b;", "assign y = ;", "assign y"])
def test_names_outside_and_bad_syntax_are_errors(body):
    assert examine(SHELL.format(body), "T")["kind"] == "syntax"


def test_ports_and_tops():
    found = examine(RIGHT, "TopModule")
    assert found["ports"] == [["clk", "input", 1], ["reset", "input", 1], ["en", "input", 1], ["q", "output", 4]]
    assert examine(RIGHT, "Other")["kind"] == "interface"
    assert examine("module T(inout a); endmodule", "T")["kind"] == "interface"
    assert examine("module T(input real a); endmodule", "T")["kind"] == "interface"
    assert examine("", "T")["kind"] == "interface"


def test_the_text_that_is_handed_on_is_what_was_parsed():
    source = """`define X 1'b1
`ifdef YOSYS
  `define X 1'b0
`endif
// synthesis translate_off
module T(output y); /* hidden */
  assign y = `X;
`ifndef __ICARUS__
`else
  initial $finish;
`endif
endmodule"""
    found = examine(source, "T")
    assert found["kind"] == "ok"
    text = found["text"]
    assert "assign y = 1'b1;" in text
    for trace in ("`", "translate", "hidden", "$finish"):
        assert trace not in text
    assert examine(text, "T")["text"] == text


def test_includes_are_refused_even_of_files_that_exist():
    assert examine('`include "/etc/hostname"\n' + RIGHT, "TopModule")["kind"] in ("refused", "syntax")


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_constant_functions_are_allowed(name):
    source = (
        f"module T(input [3:0] a, output [31:0] y); assign y = {name}({'4' if name == '$clog2' else 'a'}); endmodule"
    )
    assert examine(source, "T")["kind"] == "ok"
