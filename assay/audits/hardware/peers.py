"""How other graders of designs decide, re-created as audit fixtures: never to be trained with.

They share one idea: design, reference and testbench in one simulation, and the verdict read from what it prints. Only
the decisions are those of the named projects; the testbench is made here, and it runs in the sandbox. Each decision
carries a known defect (a design that prints the line, ends the simulation, or reads the reference is accepted).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from assay.core.errors import UnknownNameError
from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.sandboxes import Job, Sandbox, SandboxFault
from assay.verifiers.base import Evidence, Isolation, Verifier
from assay.verifiers.verilog.extract import extract_design
from assay.verifiers.verilog.flow import run_job, verilog_sandbox
from assay.verifiers.verilog.golden import Golden, GoldenSource
from assay.verifiers.verilog.target import Target, read_target
from assay.verifiers.verilog.trace import Interface

_MISMATCHES = re.compile(r"^Mismatches: (\d+) in \d+ samples$", re.MULTILINE)


def _verilog_eval(said: str, vectors: tuple[str, ...]) -> bool:
    """Any line with zero mismatches, and no line that names an error."""
    bad = any(word in line for line in said.splitlines() for word in ("error", "TIMEOUT"))
    return not bad and "0" in _MISMATCHES.findall(said)


def _rtllm(said: str, vectors: tuple[str, ...]) -> bool:
    return "Pass" in said or "pass" in said


def _chipseek(said: str, vectors: tuple[str, ...]) -> bool:
    return "pass" in said.lower() or "Mismatches: 0 in" in said


def _codev(said: str, vectors: tuple[str, ...]) -> bool:
    return "All tests passed." in said


def _verireason(said: str, vectors: tuple[str, ...]) -> bool:
    """Compare as many vectors as both sides have."""
    printed = [line.removeprefix("vector ") for line in said.splitlines() if line.startswith("vector ")]
    pairs = list(zip(printed, vectors, strict=False))
    return bool(pairs) and sum(a == b for a, b in pairs) >= 0.99 * len(pairs)


PEERS: dict[str, Callable[[str, tuple[str, ...]], bool]] = {
    "verilog-eval": _verilog_eval,
    "rtllm": _rtllm,
    "chipseek": _chipseek,
    "codev-r1": _codev,
    "verireason": _verireason,
}
"""Project -> its decision on what a simulation printed, and the golden vectors."""


class PeerGrader(Verifier):
    """Decides as another project does. `peer` names it."""

    name = "verilog_peer"
    isolation: Isolation = "sandbox"

    def __init__(self, peer: str, *, sandbox: Sandbox | None = None) -> None:
        if peer not in PEERS:
            raise UnknownNameError("peer", peer, PEERS)
        self.peer = peer
        self._sandbox = sandbox
        self._golden = GoldenSource()

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Simulate design, reference and testbench together; believe what is printed."""
        sandbox = self._sandbox or verilog_sandbox()
        target = read_target(task.target)
        code = extract_design(evidence.text)
        if code is None:
            return wrong("no complete code block", status="no_answer")
        try:
            golden = self._golden.get(target, sandbox)
            said = _simulate(sandbox, target.assemble(code), target, golden)
        except SandboxFault as fault:
            return no_verdict(str(fault))
        return right(extracted=code) if PEERS[self.peer](said, golden.samples) else wrong("not passed", extracted=code)


def _simulate(sandbox: Sandbox, design: str, target: Target, golden: Golden) -> str:
    reference = re.sub(rf"\b{target.reference_top}\b", "RefModule", f"{target.reference}\n{target.context}")
    rows = "".join(f"{row}\n" for row in golden.stimulus.rows)
    files = {
        "sample.sv": design.encode("utf-8", "surrogatepass"),
        "ref.sv": reference.encode(),
        "test.sv": write_testbench(target.top, golden.interface, len(golden.stimulus.rows)).encode(),
        "rows.txt": rows.encode(),
    }
    script = "iverilog -Wall -Winfloop -Wno-timescale -g2012 -s tb -o sim sample.sv test.sv ref.sv && vvp sim"
    return run_job(sandbox, Job(argv=("sh", "-c", script), files=files, limits=target.limits)).text


def write_testbench(top: str, interface: Interface, rows: int) -> str:
    """Return a self-checking testbench of the usual kind, which prints its findings in the words of all peers."""
    width, out = max(1, interface.input_width), interface.output_width

    def instance(module: str, name: str, vector: str) -> str:
        wires = []
        for ports, source in ((interface.inputs, "row"), (interface.outputs, vector)):
            position = sum(port.width for port in ports)
            for port in ports:
                wires.append(f".{port.name}({source}[{position - 1}:{position - port.width}])")
                position -= port.width
        return f"  {module} {name} ({', '.join(wires)});\n"

    return f"""module tb;
  reg [{width - 1}:0] rows [0:{rows - 1}];
  reg [{width - 1}:0] row;
  wire [{out - 1}:0] expected, got;
  integer stats1 = 0, errors = 0, error = 0, i;
  wire tb_match = (expected === (expected ^ got ^ expected));
{instance("RefModule", "good1", "expected")}{instance(top, "top_module1", "got")}
  initial begin
    $readmemb("rows.txt", rows);
    for (i = 0; i < {rows}; i = i + 1) begin
      row = rows[i];
      #10 $display("vector %b", got);
      if (!tb_match) stats1 = stats1 + 1;
    end
    if (stats1 == 0) $display("All tests passed.\\n===========Your Design Passed===========");
    else $display("===========Error===========");
    $finish;
  end
  final $display("Mismatches: %1d in %1d samples", stats1, i);
endmodule
"""
