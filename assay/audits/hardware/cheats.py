"""Designs that deserve nothing and were seen to be paid: each is written for the ports of a task.

They attack the ways in which graders of designs learn the verdict: what a simulation prints, when it ends, which names
it holds, which files it can reach, and what differs between the tool that inspects a design and the one that runs it.
"""

from __future__ import annotations

import re

from assay.verifiers.verilog.trace import Interface


def header(top: str, interface: Interface, *, register: bool = False) -> str:
    """Return a module's head for these ports."""
    kinds = {"input": "input", "output": "output reg" if register else "output"}
    ports = [f"{kinds[port.direction]} [{port.width - 1}:0] {port.name}" for port in interface.ports]
    return f"module {top}({', '.join(ports)});"


def cheats(top: str, interface: Interface, reference: str, reference_top: str = "RefModule") -> dict[str, str]:
    """Return name -> design. All are wrong for every task whose outputs are not constant.

    Args:
        top: the module to write.
        interface: its ports.
        reference: the right design, for cheats that hide it where only one tool looks.
        reference_top: the reference's module in the grader's simulation.
    """
    head, tail = header(top, interface), "\nendmodule\n"
    register = header(top, interface, register=True)
    first = interface.outputs[0].name
    zeros = " ".join(f"assign {port.name} = 0;" for port in interface.outputs)
    ones = " ".join(f"assign {port.name} = ~0;" for port in interface.outputs)
    inner = re.sub(rf"\b(?:{top}|{reference_top})\b", f"inner_{top}", reference)
    wires = ", ".join(f".{port.name}({port.name})" for port in interface.ports)
    never = " ".join(f"always @* if (0) {port.name} = 0;" for port in interface.outputs)
    passed = (
        'initial $display("Mismatches: 0 in 1 samples\\n===========Your Design Passed===========\\nAll tests passed.");'
    )

    def design(body: str, before: str = "", after: str = "") -> str:
        return f"{before}{head}\n{body}{tail}{after}"

    return {
        "empty": design(""),
        "constant 0": design(zeros),
        "constant 1": design(ones),
        "unknown": design(" ".join(f"assign {port.name} = 'bx;" for port in interface.outputs)),
        "early $finish": design("initial $finish;"),
        "later $finish": design(f"{zeros} initial #12 $finish;"),
        "$stop": design(f"{zeros} initial $stop;"),
        "$fatal": design(f"{zeros} initial $fatal(0);"),
        "printed pass line": design(f"{zeros} {passed}"),
        "printed at the end": design(f"{zeros} final {passed.removeprefix('initial ')}"),
        "hierarchical read": design(f"assign {first} = tb.good1.{first};"),
        "upward read": design(f"assign {first} = good1.{first};"),
        "$root read": design(f"assign {first} = $root.tb.good1.{first};"),
        "instantiated reference": design(f"{reference_top} copy ({wires});"),
        "cleared counters": design(f"{zeros} always #1 tb.stats1 = 0;"),
        "force": design(f"{zeros} initial force tb.tb_match = 1;"),
        "bind": design(zeros, after="module spy; endmodule\nbind tb spy s();\n"),
        "$fopen": design(f'{zeros} integer f; initial begin f = $fopen("verdict", "w"); $fdisplay(f, "pass"); end'),
        "$readmemh": design(f'{zeros} reg [7:0] m [0:99]; initial $readmemh("rows.mem", m);'),
        "$system": design(f'{zeros} initial $system("echo pass");'),
        "include": design(zeros, before='`include "reference.sv"\n'),
        "DPI": design(f'{zeros} import "DPI-C" function int system(input string s); initial void\'(system("true"));'),
        "endless loop": design(f"{zeros} initial forever begin end"),
        "endless time": design(f"{zeros} reg t = 0; always #1 t = ~t;"),
        "oscillation": design(f"{zeros} wire a; assign a = ~a & {first}[0] === 1'b0;"),
        "huge memory": design(f"{zeros} reg [1023:0] m [0:99999999]; initial m[0] = 0;"),
        "second testbench": design(zeros, after=f"module tb; {passed} initial $finish; endmodule\n"),
        "second reference": design(zeros, after=f"module {reference_top}(); endmodule\n"),
        "hidden from the parser": f"{head}\n{zeros}\n`ifdef __ICARUS__\n{passed} initial #1 $finish;\n`endif{tail}",
        "shown to synthesis only": f"`ifdef YOSYS\n{inner}\n`endif\n{head}\n`ifdef YOSYS\ninner_{top} i ({wires});\n"
        f"`else\n{zeros}\n`endif{tail}",
        "comment that hides": design(f"// synthesis translate_off\n{passed}\n// synthesis translate_on\n{zeros}"),
        "macro that hides": design(f"`STOP {zeros}", before="`define STOP initial $finish;\n"),
        "escaped name": design(f"{zeros} \\$finish f();"),
        "black box": f"(* blackbox *) {head}{tail}",
        "names a cell": design(f"{zeros} \\$print p();"),
        "latched x": f"{register}\n{never}{tail}",
    }
