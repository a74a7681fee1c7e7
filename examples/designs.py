"""Hardware designs, cheats and testbenches: run `python examples/designs.py` (needs iverilog, yosys and pyslang)."""

from __future__ import annotations

import numpy as np

from assay import verify_text
from assay.audits.hardware import cheats
from assay.verifiers import make_verifier
from assay.verifiers.verilog.flow import verilog_sandbox
from assay.verifiers.verilog.strength import generate_testbench
from assay.verifiers.verilog.target import read_target
from assay.verifiers.verilog.trace import read_interface

REFERENCE = """module RefModule(input clk, input reset, input en, output reg [3:0] q);
  always @(posedge clk) if (reset) q <= 0; else if (en) q <= q + 1;
endmodule
"""
TARGET = {"top": "TopModule", "reference": REFERENCE, "cpu_seconds": 2}
PORTS = [["clk", "input", 1], ["reset", "input", 1], ["en", "input", 1], ["q", "output", 4]]


def fenced(code: str) -> str:
    """Return a design as an answer."""
    return f"```verilog\n{code}\n```"


def main() -> None:
    """Judge a right and a wrong design and every cheat; make a testbench and say how strong it is."""
    verifier = make_verifier("verilog", credit="graded")
    right = REFERENCE.replace("RefModule", "TopModule")
    for name, design in {"right": right, "asynchronous reset": right.replace("clk)", "clk or posedge reset)")}.items():
        verdict = verify_text(verifier, TARGET, fenced(design))
        print(f"{name}: {verdict.score:.3f} {verdict.reason}".rstrip())
    strict = make_verifier("verilog")
    made = cheats("TopModule", read_interface(PORTS), REFERENCE)
    paid = sum(verify_text(strict, TARGET, fenced(design)).score or 0.0 for design in made.values())
    print(f"cheats paid: {paid:.0f} of {len(made)}")
    testbench, strength = generate_testbench(
        verilog_sandbox(), read_target(TARGET), np.random.default_rng(0), faults=10
    )
    cycles = len(testbench["stimulus"]["rows"].split()) // 3
    print(f"testbench of {cycles} cycles kills {strength.killed} of {strength.killable} mutants")


if __name__ == "__main__":
    main()
