"""The bench that drives a design and prints what it answers: no expected value, no comparison, no verdict.

Its module name is drawn anew for every run, so that no design can name it. What it writes, into a file of its own since
simulators print warnings about designs, is counted and read strictly: a run that stopped early is no run.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from assay.verifiers.verilog.stimulus import find_roles
from assay.verifiers.verilog.trace import Interface, Port, Stimulus

STEP = 1000
"""Nanoseconds between two rows: what a design delays on purpose, `q <= #1 d`, has happened by the next one."""


def bench_name() -> str:
    """Return a module name that nobody can guess."""
    return f"bench_{secrets.token_hex(8)}"


def write_bench(name: str, top: str, interface: Interface, stimulus: Stimulus) -> str:
    """Return the bench's source. It reads `rows.mem`, one row a line, the first bit saying whether to sample.

    Clocks have their first value from the beginning, as in `reg clk = 0`, which is no edge. All else starts unknown.

    With the macro `TWIN` a second design of the same ports is driven beside the first, and printed after it.
    """
    width, out = max(1, interface.input_width), interface.output_width
    inputs = _connections(interface.inputs, "row")
    first = ", ".join(inputs + _connections(interface.outputs, "out"))
    second = ", ".join(inputs + _connections(interface.outputs, "twin_out"))
    return f"""`timescale 1ns/1ns
module {name};
  reg [{width}:0] next;
  reg [{width - 1}:0] row = {width}'b{_start(interface, stimulus)};
  wire [{out - 1}:0] out;
  integer file, got, answers;
  {top} dut ({first});
`ifdef TWIN
  wire [{out - 1}:0] twin_out;
  `TWIN twin ({second});
`endif
  initial begin
    file = $fopen("rows.mem", "r");
    answers = $fopen("samples", "w");
    got = $fscanf(file, "%b", next);
    while (got == 1) begin
      row = next[{width - 1}:0];
      #{STEP} if (next[{width}])
`ifdef TWIN
        $fdisplay(answers, "%b%b", out, twin_out);
`else
        $fdisplay(answers, "%b", out);
`endif
      got = $fscanf(file, "%b", next);
    end
    $finish(0);
  end
endmodule
"""


def _start(interface: Interface, stimulus: Stimulus) -> str:
    clocks = find_roles(interface).clocks
    mask = "".join(("1" if port.name in clocks else "0") * port.width for port in interface.inputs)
    return "".join(bit if keep == "1" else "x" for bit, keep in zip(stimulus.rows[0], mask, strict=False)) or "x"


def _connections(ports: Sequence[Port], vector: str) -> list[str]:
    """Connect ports to the slices of a vector, the first port to its top bits."""
    position = sum(port.width for port in ports)
    wires = []
    for port in ports:
        wires.append(f".{port.name}({vector}[{position - 1}:{position - port.width}])")
        position -= port.width
    return wires


def write_rows(stimulus: Stimulus) -> bytes:
    """Return the content of `rows.mem`."""
    sampled = stimulus.sampled()
    return "".join(f"{int(i in sampled)}{row}\n" for i, row in enumerate(stimulus.rows)).encode()


def read_samples(text: str, stimulus: Stimulus, width: int) -> tuple[str, ...] | None:
    """Return one word of `0`, `1` and `x` for each sample, or None when the run is not complete and clean."""
    words = tuple(text.replace("z", "x").split("\n"))
    if words[-1] != "" or len(words) - 1 != stimulus.count:
        return None
    if any(len(word) != width or word.strip("01x") for word in words[:-1]):
        return None
    return words[:-1]
