"""The parts of a check: gate, bench and traces, comparison, stimuli, mutants, costs, rewards."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import UnknownNameError
from assay.core.verdict import no_verdict
from assay.verifiers.base import verify_text
from assay.verifiers.verilog import ppa, record
from assay.verifiers.verilog.bench import bench_name, read_samples, write_bench, write_rows
from assay.verifiers.verilog.compare import compare, compatible, constant_matches, matches
from assay.verifiers.verilog.flow import NoDesign
from assay.verifiers.verilog.mutants import mutants
from assay.verifiers.verilog.record import read_trace, top_of, without_dumps, write_recorder
from assay.verifiers.verilog.rewards import ChipSeekVerifier, VeriReasonVerifier, make_reward, with_format
from assay.verifiers.verilog.stimulus import find_roles, random_stimulus
from assay.verifiers.verilog.target import read_target
from assay.verifiers.verilog.trace import Interface, Port, Stimulus, read_interface, read_stimulus
from assay.verifiers.verilog.verifier import Judged
from tests.verifiers.verilog.tools import COUNTER, RIGHT, TARGET, answer, needs_tools

PORTS = [["clk", "input", 1], ["rst_n", "input", 1], ["d", "input", 4], ["q", "output", 4]]
INTERFACE = read_interface(PORTS)
words = st.text("01x", min_size=3, max_size=3)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=20))
def test_comparison_is_that_of_verilog_eval(pairs):
    """tb_match = ({ref} === ({ref} ^ {dut} ^ {ref})), bit by bit."""

    def official(dut, ref):
        return all(r == "x" or d == r for d, r in zip(dut, ref, strict=True))

    dut, ref = [a for a, _ in pairs], [b for _, b in pairs]
    agreement = compare(dut, ref)
    assert agreement.matched == sum(official(a, b) for a, b in pairs)
    assert agreement.complete == all(official(a, b) for a, b in pairs)
    assert 0 <= agreement.grade <= 1
    assert (agreement.grade == 1.0) == agreement.complete
    assert compare(ref, ref).complete


@given(words, words)
def test_an_unknown_netlist_contradicts_nothing(a, b):
    assert compatible(a, b) == compatible(b, a)
    assert compatible("xxx", b)
    assert not matches(a, b) or compatible(a, b)


def test_constants_are_graded_nothing():
    golden = ["00", "00", "01", "0x", "11"]
    assert constant_matches(golden) == 3
    assert compare(["00"] * 5, golden).grade == 0.0
    assert compare(["00", "00", "01", "00", "00"], golden).grade == pytest.approx(0.5)
    assert compare(["1", "1"], ["1", "1"]).grade == 1.0
    assert compare(["0", "1"], ["1", "1"]).grade == 0.0


def test_a_netlist_that_says_something_else_is_wrong():
    agreement = compare(["1", "0"], ["1", "0"], ["1", "1"])
    assert (agreement.complete, agreement.contradicted, agreement.first) == (False, 1, 1)
    assert compare(["1", "0"], ["1", "0"], ["x", "0"]).complete


def test_bench_and_rows():
    source = write_bench("bench_1", "Top", INTERFACE, Stimulus(("0",)))
    assert "Top dut (.clk(row[5:5]), .rst_n(row[4:4]), .d(row[3:0]), .q(out[3:0]));" in source
    assert bench_name() != bench_name()
    assert write_rows(Stimulus(("01", "11"), (1,))) == b"001\n111\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("01\n1z\n", ("01", "1x")),
        ("01\n", None),
        ("01\n10\n11\n", None),
        ("01\n1\n", None),
        ("01\n10", None),
        ("pass\n01\n", None),
        ("", None),
    ],
)
def test_samples_are_read_strictly(text, expected):
    assert read_samples(text, Stimulus(("0", "1")), 2) == expected


@pytest.mark.parametrize(
    "data", [{}, {"rows": ""}, {"rows": "01 2"}, {"rows": "011111 01"}, {"rows": "011111", "samples": [1]}, []]
)
def test_bad_stimuli(data):
    with pytest.raises(ValueError):
        read_stimulus(data, INTERFACE)


@pytest.mark.parametrize("rows", [[], [["a b", "output", 1]], [["a", "inout", 1]], [["a", "input", 1]], 3])
def test_bad_ports(rows):
    with pytest.raises((ValueError, TypeError)):
        read_interface(rows)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("clk", "clock"), ("clock", "clock"), ("i_clk", "clock"), ("clk_in", "clock"), ("CLK", "clock"),
        ("reset", 1), ("rst", 1), ("areset", 1), ("aresetn", 0), ("rst_n", 0), ("reset_n", 0), ("resetn", 0),
        ("rst_ni", 0), ("preset", None), ("d", None), ("click", None), ("first", None),
    ],
)  # fmt: skip
def test_roles_are_found_by_name(name, role):
    roles = find_roles(Interface((Port(name, "input"), Port("q", "output"))))
    assert (name in roles.clocks) == (role == "clock")
    assert roles.resets.get(name) == (role if isinstance(role, int) else None)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(16, 60))
def test_in_a_stimulus_clock_and_data_never_change_together(seed, cycles):
    stimulus = random_stimulus(INTERFACE, np.random.default_rng(seed), cycles)
    assert len(stimulus.rows) == 3 * cycles + 1
    for before, after in zip(stimulus.rows, stimulus.rows[1:], strict=False):
        assert before[0] == after[0] or before[1:] == after[1:]
    assert stimulus.rows[0][1] == "0"  # it starts in reset
    assert any(row[1] == "1" for row in stimulus.rows)


def test_a_small_design_without_a_clock_sees_every_input():
    interface = read_interface([["a", "input", 3], ["b", "input", 2], ["y", "output", 1]])
    stimulus = random_stimulus(interface, np.random.default_rng(0), 16)
    assert len(set(stimulus.rows)) == 32


def test_recording():
    testbench = "module tb();\n reg clk=0;\n always @(posedge clk, negedge clk) begin end\nendmodule"
    recorder = write_recorder("Top", INTERFACE, testbench)
    assert "always @(posedge tb.clk or negedge tb.clk)" in recorder
    assert top_of("module a(input x); endmodule\nmodule b;\nendmodule") == "b"
    assert without_dumps('initial begin $dumpfile("a.vcd"); $dumpvars(1, a.b); end') == "initial begin ; ; end"
    trace = "r 0 000000\nr 5 100000\ns 5\nr 5 110001\nr 10 010001\ns 10\n"
    stimulus = read_trace(trace, INTERFACE)
    assert stimulus.rows == ("000000", "100000", "110001", "010001")
    assert stimulus.samples == (0, 2)
    assert read_trace(trace.replace("s 5\n", "").replace("s 10\n", ""), INTERFACE).samples == (0, 2, 3)
    with pytest.raises(ValueError, match="drives no inputs"):
        read_trace("", INTERFACE)


def test_a_recording_has_a_longest_length(monkeypatch):
    monkeypatch.setattr(record, "MAX_BITS", 14 * 3)  # six bits of input, and four of output twice
    trace = "".join(f"r {5 * i} {i:06b}\ns {5 * i}\n" for i in range(10))
    stimulus = read_trace(trace, INTERFACE)
    assert (len(stimulus.rows), stimulus.samples) == (3, (0, 1, 2))


def test_mutants_differ_in_one_place_and_never_in_comments():
    head = "module M(input a, b, output y, z);"
    source = head + "\n  // a & b\n  assign y = a & ~b;\n  assign z = a ? 1'b1 : b == 0;\nendmodule"
    found = mutants(source)
    assert {mutant.kind for mutant in found} == {"operator", "inversion", "branch", "constant"}
    assert len({mutant.source for mutant in found} | {source}) == len(found) + 1
    assert all("// a & b" in mutant.source and head in mutant.source for mutant in found)
    edges = mutants(COUNTER)
    assert {"edge", "branch", "statement", "operator", "constant"} <= {mutant.kind for mutant in edges}
    drawn = mutants(COUNTER, np.random.default_rng(0), 4)
    assert len(drawn) == len({mutant.kind for mutant in drawn}) == 4


@given(st.text(max_size=200))
def test_mutating_anything_raises_nothing(text):
    mutants("module m;" + text)


def test_quality_of_costs():
    gold = {"power": 1e-3, "area": 100.0, "delay": 2.0}
    candidate = {"power": 5e-4, "area": 80.0, "delay": 2.0}
    names = ("power", "area", "delay")
    assert ppa.product(gold, candidate, names) == pytest.approx(2.5)
    assert ppa.product(gold, {name: value / 10 for name, value in gold.items()}, names) == 3.0
    assert ppa.product(gold, {name: value * 10 for name, value in gold.items()}, names) == 0.1
    assert ppa.quality(gold, candidate, names) == 1.0
    assert ppa.quality(gold, {**gold, "area": 800.0}, names) == pytest.approx(0.5)
    assert ppa.ratio(0, 0) == 1.0


THOUGHT = "<think>a counter</think>\n<answer>\n{}\n</answer>"


@needs_tools
def test_verireason_pays_as_published_and_nothing_for_looks():
    verifier = VeriReasonVerifier()
    assert verify_text(verifier, TARGET, answer(RIGHT)).score == pytest.approx(2.1)
    assert verify_text(verifier, TARGET, THOUGHT.format(answer(RIGHT))).score == pytest.approx(2.2)
    down = verify_text(verifier, TARGET, answer(RIGHT.replace("q + 1", "q - 1")))
    assert 0.1 <= down.score < 0.5  # the paper's similarity pays 1.1
    stuck = "module TopModule(input clk, input reset, input en, output [3:0] q); assign q = 0; {} endmodule"
    assert verify_text(verifier, TARGET, answer(stuck.format(""))).score == pytest.approx(0.1)
    assert verify_text(verifier, TARGET, answer(stuck.format("initial #42 $finish;"))).score == 0.0
    assert verify_text(verifier, TARGET, answer(RIGHT.replace("endmodule", "endmodul"))).score == 0.0


@needs_tools
def test_chipseek_pays_costs_only_for_what_works():
    verifier = ChipSeekVerifier()
    right = verify_text(verifier, TARGET, answer(RIGHT))
    assert right.score == pytest.approx(2.0)  # 1 for the function, and a product of ratios that are 1
    empty = "module TopModule(input clk, input reset, input en, output [3:0] q); assign q = 0; endmodule"
    assert verify_text(verifier, TARGET, answer(empty)).score == pytest.approx(0.2)
    assert verify_text(verifier, TARGET, THOUGHT.format(answer(empty))).score == pytest.approx(1.2)


def test_formats_are_anchored():
    verdict = no_verdict("fault")
    assert with_format(verdict, THOUGHT, 1.0).score is None
    judged = Judged("", refusal=NoDesign("no", stage="gate", kind="syntax"))
    assert (judged.syntax, judged.synthesis, judged.function, judged.correct) == (0.0, 0.0, 0.0, False)
    with pytest.raises(UnknownNameError, match="chipseek"):
        make_reward("chipsek")


def test_targets():
    assert read_target(TARGET).reference_top == "RefModule"
    with pytest.raises(ValueError, match="samples"):
        read_target({"top": "T", "ports": PORTS, "stimulus": {"rows": "000000"}, "expected": "0000 0000"})
    with pytest.raises(ValueError, match="cycles"):
        read_target({**TARGET, "cycles": 0})
