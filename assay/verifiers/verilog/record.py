"""The stimulus of a published testbench, recorded once, so that it can be replayed to a design without the testbench.

The testbench runs with the reference in the place of the design, wrapped in a *recorder* that writes down every change
of the inputs in the order in which the simulator makes them. A testbench that compares at the edges of its own `clk`
(VerilogEval) is sampled just before each such edge, as it does; any other one at the end of every instant at which
something changed.
"""

from __future__ import annotations

import re

from assay.verifiers.verilog.trace import Interface, Stimulus

_DUMPS = re.compile(r"\$dump(?:file|vars|on|off|all|flush|limit)\b\s*(?:\([^;]*\))?\s*;")
_EDGES = re.compile(r"\$?always\s*@\s*\(\s*(posedge|negedge)\s+clk\s*(?:(?:,|or)\s*(posedge|negedge)\s+clk\s*)?\)")
_TOP = re.compile(r"^\s*module\s+(\w+)\s*(?:#\s*\([^;]*?\)\s*)?(?:\(\s*\)\s*)?;", re.MULTILINE)
REFERENCE = "recorded_reference"
MAX_BITS = 4_000_000
"""Of inputs and outputs of a recording; what a longer testbench does after them is left out."""


def without_dumps(testbench: str) -> str:
    """Return the testbench without its waveform dumps, which nobody will look at."""
    return _DUMPS.sub(";", testbench)


def top_of(testbench: str) -> str | None:
    """Return the module without ports that is the testbench, the last one if there are several."""
    tops = _TOP.findall(testbench)
    return tops[-1] if tops else None


def write_recorder(top: str, interface: Interface, testbench: str) -> str:
    """Return a module named `top` that behaves as `recorded_reference` and records into the file `trace`."""
    names = [port.name for port in interface.ports]
    ports = ", ".join(f"{port.direction} wire [{port.width - 1}:0] {port.name}" for port in interface.ports)
    inputs = ", ".join(port.name for port in interface.inputs) or "1'b0"
    sensitive = f"always @({inputs}) record;" if interface.inputs else ""
    edges = _EDGES.search(testbench)
    sampler = ""
    if edges and (name := top_of(testbench)):
        events = " or ".join(f"{edge} {name}.clk" for edge in edges.groups() if edge)
        sampler = f'always @({events}) $fdisplay(trace, "s %0t", $time);'
    return f"""module {top} ({ports});
  integer trace;
  {REFERENCE} reference ({", ".join(f".{name}({name})" for name in names)});
  task record; $fdisplay(trace, "r %0t %b", $time, {{{inputs}}}); endtask
  initial begin trace = $fopen("trace", "w"); #0 record; end
  {sensitive}
  {sampler}
endmodule
"""


def read_trace(text: str, interface: Interface) -> Stimulus:
    """Return what was recorded. ValueError when there is nothing to replay."""
    rows: list[str] = []
    times: list[int] = []
    samples: set[int] = set()
    sampled = False
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "s":
            sampled = True
            before = len(rows) - 1
            while before >= 0 and times[before] >= int(rest):
                before -= 1
            if before >= 0:
                samples.add(before)
        elif kind == "r":
            time, _, bits = rest.partition(" ")
            word = bits.replace("z", "x")
            if not rows or word != rows[-1]:
                rows.append(word)
                times.append(int(time))
    longest = MAX_BITS // (interface.input_width + 2 * interface.output_width)
    rows, samples = rows[:longest], {index for index in samples if index < longest}
    if not rows or any(len(row) != max(1, interface.input_width) for row in rows):
        raise ValueError("the testbench drives no inputs that could be recorded")
    if not sampled:
        samples = {i for i in range(len(rows)) if i + 1 == len(rows) or times[i + 1] > times[i]}
    if not samples:
        raise ValueError("the testbench compares nothing after the inputs are set")
    return Stimulus(tuple(rows), tuple(sorted(samples)))
