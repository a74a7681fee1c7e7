"""A testbench is as strong as the mutants that it kills."""

import numpy as np

from assay.verifiers.verilog.flow import verilog_sandbox
from assay.verifiers.verilog.golden import GoldenSource
from assay.verifiers.verilog.mutants import Mutant, mutants
from assay.verifiers.verilog.strength import Strength, generate_testbench, measure_strength
from assay.verifiers.verilog.target import read_target
from tests.verifiers.verilog.tools import COUNTER, TARGET, needs_tools


@needs_tools
def test_a_weak_testbench_is_seen_to_be_weak():
    late = Mutant(COUNTER.replace("q + 1", "(q == 14) ? 0 : q + 1"), "branch", 2, "")
    same = Mutant(COUNTER.replace("q + 1", "1 + q"), "operator", 2, "")
    wrong = Mutant(COUNTER.replace("q + 1", "q - 1"), "operator", 2, "")
    target = read_target({**TARGET, "cycles": 8})
    golden = GoldenSource().get(target, verilog_sandbox())
    strength = measure_strength(verilog_sandbox(), target, golden, [late, same, wrong])
    assert strength == Strength(1, 1, (late,), ())
    assert (strength.killable, strength.score) == (2, 0.5)


@needs_tools
def test_a_generated_testbench_kills_what_can_be_killed():
    target = read_target(TARGET)
    made, strength = generate_testbench(verilog_sandbox(), target, np.random.default_rng(0), faults=12)
    assert strength.score == 1.0
    assert strength.killed + strength.equivalent == min(12, len(mutants(COUNTER)))
    assert read_target(made).stimulus.count == len(made["expected"].split())
