"""Right designs pass in whatever style and dress they come, also where a tool cannot read the style; wrong ones do not."""

import pytest

pytest.importorskip("pyslang", reason="the parser needs pyslang: pip install 'assay-rl[verilog]'")

from assay.verifiers.base import verify_text
from assay.verifiers.verilog.extract import extract_design
from assay.verifiers.verilog.inside import lower
from assay.verifiers.verilog.inside.subset import synthesizable
from assay.verifiers.verilog.verifier import VerilogVerifier
from tests.verifiers.verilog.styles import SCAN, SCAN_TARGET, STYLES, styled
from tests.verifiers.verilog.tools import RIGHT, TARGET, answer, needs_tools

# ruff: noqa: E501


@needs_tools
@pytest.mark.parametrize(("part", "name"), [(part, name) for part, names in STYLES.items() for name in names])
def test_right_in_every_style(part, name):
    verdict = verify_text(VerilogVerifier(), SCAN_TARGET, answer(styled(part, name)))
    assert (verdict.score, verdict.correct) == (1.0, True), verdict


SLIPS = {
    ("first", "break"): ("break;", ""),
    ("first", "continue"): ("!a[i]", "a[i]"),
    ("first", "return"): ("return 0", "return 1"),
    ("first", "case inside"): ("4'b??10: first = 1", "4'b??10: first = 2"),
    ("first", "enumeration"): ("{P0, P1, P2, P3}", "{P0, P1, P3, P2}"),
    ("first", "table of constants"): ("{0, 0, 1,", "{0, 0, 2,"),
    ("first", "wired array"): ("'{0, 1, 2, 3}", "'{0, 2, 1, 3}"),
    ("first", "casts"): ("place'(5)", "place'(6)"),
    ("back", "stream"): ("{<<{a}}", "{>>{a}}"),
    ("back", "stream of pairs"): ("{<<2{b}}", "{<<{b}}"),
    ("two", "inside"): ("[8:11]", "[8:12]"),
    ("two", "inside with wildcards"): ("4'b10??", "4'b1???"),
    ("two", "array with a default"): ("m[1] <= a;", "m[1] <= a; m <= '{default: 0};"),
    ("two", "delay"): ("#1 a", "#1500 a"),
}


@needs_tools
@pytest.mark.parametrize(("part", "name"), SLIPS)
def test_wrong_in_the_same_styles(part, name):
    design = styled(part, name)
    old, new = SLIPS[part, name]
    assert old in design
    verdict = verify_text(VerilogVerifier(), SCAN_TARGET, answer(design.replace(old, new)))
    assert (verdict.score, verdict.correct) == (0.0, False), verdict


@needs_tools
def test_a_reference_in_a_style_that_tools_cannot_read_is_a_gold():
    reference = styled("first", "casts").replace("TopModule", "RefModule")
    target = {"top": "TopModule", "reference": reference, "reference_top": "RefModule", "cycles": 64}
    assert verify_text(VerilogVerifier(), target, answer(SCAN.replace("RefModule", "TopModule"))).correct


BOTH_EDGES = "module RefModule(input clk, input d, output reg q); initial q = 0; always @(posedge clk, negedge clk) q <= d; endmodule"
LATCH = "module RefModule(input ena, input d, output reg q); always @* if (ena) q = d; endmodule"
LOOPS = {
    "as the reference": (BOTH_EDGES, BOTH_EDGES.partition(";")[2], True),
    "no edge at the start": (BOTH_EDGES, "reg p = 0, n = 0; always @(posedge clk) p <= d ^ n; always @(negedge clk) n <= d ^ p; always_comb q = p ^ n; endmodule", True),
    "no edge": (BOTH_EDGES, "initial q = 0; always_comb q = d; endmodule", False),
    "fed back": (LATCH, "wire t = ena ? d : q; always @* q = t; endmodule", True),
    "of gates": (LATCH, "wire s = ~(d & ena), r = ~(~d & ena), n = ~(r & t), t = ~(s & n); always @* q = t; endmodule", True),
    "fed back wrongly": (LATCH, "wire t = ena ? d : ~q; always @* q = t & ena; endmodule", False),
}  # fmt: skip


@needs_tools
@pytest.mark.parametrize("name", LOOPS)
def test_memory_in_other_forms(name):
    reference, body, correct = LOOPS[name]
    design = reference.partition(";")[0].replace("RefModule", "TopModule") + ";" + body
    verdict = verify_text(VerilogVerifier(), {"top": "TopModule", "reference": reference, "cycles": 64}, answer(design))
    assert verdict.correct is correct, verdict


TESTBENCH = "module tb; reg clk; TopModule dut(.clk(clk)); initial $finish; endmodule"
INC, TOP = (
    "module inc(input [3:0] a, output [3:0] y); assign y = a + 1; endmodule",
    "module TopModule(input clk, input reset, input en, output reg [3:0] q);\n wire [3:0] n; inc i(q, n);\n"
    " always @(posedge clk) if (reset) q <= 0; else if (en) q <= n;\nendmodule",
)


@needs_tools
@pytest.mark.parametrize(
    "response",
    [
        f"{answer(RIGHT)}\nTestbench:\n{answer(TESTBENCH)}",
        f"{answer(RIGHT)}\nWaveform:\n```\nclk q\n0 0\n```\n```bash\niverilog top.v\n```",
        f"{answer(INC)}\nand\n{answer(TOP)}\n{answer(TESTBENCH)}",
        f"{answer(TOP)}\nwith\n{answer(INC)}",
        f"The module is\n\n{RIGHT}\nIt counts up.",
        f"[BEGIN]\n`timescale 1ns/1ps\n{RIGHT}[DONE]",
        f"```v\n{RIGHT}```".replace("\n", "\r\n"),
    ],
)
def test_right_in_every_dress(response):
    verdict = verify_text(VerilogVerifier(), TARGET, response)
    assert (verdict.score, verdict.correct) == (1.0, True), verdict


@pytest.mark.parametrize(
    ("response", "design"),
    [
        (f"{answer(RIGHT)}\n{answer(RIGHT.replace('+', '-'))}", RIGHT.replace("+", "-")),
        (f"```verilog\n{RIGHT}", None),
        (f"<think>{RIGHT}", None),
        ("It is a module named TopModule.", None),
        ("  assign y = a;\nendmodule", "  assign y = a;\nendmodule\n"),
    ],
)
def test_which_design_is_handed_in(response, design):
    found = extract_design(response, "TopModule")
    assert (found and found.strip()) == (design and design.strip())


WAITING = ["always #7 y = ~y;", "always @(a) y = a;", "initial forever @(a) y = a;", "always begin wait(a); y = a; end",
           "always @(posedge a) begin y = 0; @(negedge a); end", "always @(posedge a iff b) y = 1;", "always y = #1 a;",
           "always @(posedge a) #2 y = 1;", "event e; always @(posedge a) -> e;", "real r; always @* r = a;",
           "final y = 0;", "assign #3 y = a;", "always @(a or b) for (int i = 0; i < 2; i++) begin y = a; break; end"]  # fmt: skip


@pytest.mark.parametrize("body", WAITING)
def test_designs_that_wait_are_not_taken_unsynthesised(body):
    assert not synthesizable(f"module T(input a, b, output reg y); {body} endmodule")
    assert synthesizable(
        "module T(input a, b, output reg y, z); always @* y = a; always_ff @(posedge a, negedge b) z <= b; initial z = 0; endmodule"
    )


@pytest.mark.parametrize("parts", [("8'(", "a", ")"), ("(", "2", ")'(2)"), ("{<<{", "a", "}}")])
def test_what_is_nested_is_gone_through_once(parts, monkeypatch):
    before, inner, after = parts
    calls, write = [], lower._Writer.write

    def counted(writer, node):
        calls.append(node)
        assert len(calls) < 2000
        return write(writer, node)

    monkeypatch.setattr(lower._Writer, "write", counted)
    lower.lower(f"module T(input [7:0] a, output [7:0] y); assign y = {before * 14}{inner}{after * 14}; endmodule", "T")


def test_comparisons_within_comparisons_are_left_alone():
    source = f"module T(input a, output y); assign y = {'(' * 40}a{' inside {0, 1})' * 40}; endmodule"
    assert lower.lower(source, "T") == source
