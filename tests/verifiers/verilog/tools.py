"""What the tests of designs need from the machine, and a small design to test with."""

import importlib.util
import os
import shutil

import pytest

MISSING = [tool for tool in ("iverilog", "yosys") if shutil.which(tool) is None]
if importlib.util.find_spec("pyslang") is None:
    MISSING.append("pyslang (pip install 'assay-rl[verilog]')")
if not hasattr(os, "memfd_create"):
    MISSING.append("Linux")

needs_tools = pytest.mark.skipif(bool(MISSING), reason=f"designs need {' and '.join(MISSING)}")

COUNTER = """module RefModule(input clk, input reset, input en, output reg [3:0] q);
  always @(posedge clk) if (reset) q <= 0; else if (en) q <= q + 1;
endmodule
"""
TARGET = {"top": "TopModule", "reference": COUNTER, "cycles": 128}
RIGHT = COUNTER.replace("RefModule", "TopModule")


def answer(code):
    return f"```verilog\n{code}\n```"
