"""How true, how safe and how fast is the grader of hardware designs, next to VerilogEval's own in the same run?

    python benchmarks/verilog.py FOLDER [--mutants 2] [--limit N]

FOLDER holds VerilogEval v2 problems (`*_prompt.txt`, `*_ref.sv`, `*_test.sv`); needs iverilog, yosys and pyslang. Five
tables: references accepted; CPU time of a check, also of designs with long chains of logic; mutants, by what the
problem's own testbench says about them; cheats paid. "Own grader" is the problem's testbench with reference and design
in one simulation, read as VerilogEval does.
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from assay.audits.hardware import cheats
from assay.core.seeding import derive_seed
from assay.core.task import Task
from assay.envs.verilog.layouts import design_tasks
from assay.sandboxes import Job, Limits
from assay.verifiers.verilog.flow import verilog_sandbox
from assay.verifiers.verilog.formal import Answer, equivalence
from assay.verifiers.verilog.golden import GoldenSource, UnusableReference, reference_interface
from assay.verifiers.verilog.mutants import mutants
from assay.verifiers.verilog.target import Target, read_target
from assay.verifiers.verilog.verifier import VerilogVerifier

LIMITS = Limits(cpu_seconds=20, memory_bytes=2**30, disk_bytes=256 * 2**20)
SLOW = ("endless loop", "endless time", "huge memory", "oscillation")
"""Cheats that would only make the own grader run into its time limit."""

CHAINS = {
    "255 bits counted": """module RefModule(input [254:0] a, output reg [7:0] y);
  integer i; always @* begin y = 0; for (i = 0; i < 255; i = i + 1) y = y + a[i]; end
endmodule""",
    "255 bits added in one expression": f"""module RefModule(input [254:0] a, output [7:0] y);
  assign y = {" + ".join(f"a[{i}]" for i in range(255))};
endmodule""",
    "100 decimal digits added": """module RefModule(
  input [399:0] a, b, input cin, output reg cout, output reg [399:0] sum);
  integer i; reg [4:0] t;
  always @* begin
    cout = cin;
    for (i = 0; i < 100; i = i + 1) begin
      t = a[4*i +: 4] + b[4*i +: 4] + cout; cout = t > 9; sum[4*i +: 4] = cout ? t + 6 : t;
    end
  end
endmodule""",
}
"""Designs whose last link depends on all others."""


@dataclass
class Problem:
    task: Task
    target: Target
    solution: str


def own_grader(problem: Problem, design: str) -> tuple[bool, float]:
    """Return VerilogEval's verdict and the CPU seconds it took."""
    files = {"sample.sv": design, "test.sv": problem.target.testbench, "ref.sv": problem.target.reference}
    script = "iverilog -Wall -Winfloop -Wno-timescale -g2012 -s tb -o X sample.sv test.sv ref.sv && vvp X"
    packed = {name: text.encode() for name, text in files.items()}
    result = verilog_sandbox().run(Job(argv=("sh", "-c", script), files=packed, limits=LIMITS))
    zero = re.search(r"^Mismatches: 0 in \d+ samples$", result.text, re.MULTILINE) is not None
    bad = any(word in line for line in result.text.splitlines() for word in ("error", "TIMEOUT"))
    return zero and not bad and result.status in ("ok", "nonzero"), result.cpu_seconds


def ours(verifier: VerilogVerifier, problem: Problem, design: str, limit: float = 20) -> tuple[bool | None, float]:
    """Return our verdict, None for no verdict, and the CPU seconds of sandbox and caller together."""
    started = time.process_time()
    try:
        judged = verifier.examine(design, replace(problem.target, cpu_seconds=limit))
    except UnusableReference:
        return None, 0.0
    inside = judged.checked.cpu_seconds if judged.checked is not None else 0.0
    return judged.correct, inside + time.process_time() - started


def references(verifier: VerilogVerifier, problems: Sequence[Problem]) -> Iterator[tuple[Problem, float, float]]:
    """Print the first table; yield the problems that can be graded, with the CPU seconds of both graders."""
    count: Counter[str] = Counter()
    for problem in problems:
        passed, own_seconds = own_grader(problem, problem.solution)
        ours(verifier, problem, problem.solution)  # makes the golden run
        accepted, seconds = ours(verifier, problem, problem.solution)
        count["passes its own testbench"] += passed
        count["accepted here"] += bool(accepted)
        count["accepted here, of those that pass"] += passed and bool(accepted)
        count["no verdict here"] += accepted is None
        if accepted is not True:
            print(f"  {problem.task.id}: {'no verdict' if accepted is None else 'REFUSED'}, own testbench {passed}")
        if accepted and passed:
            yield problem, seconds, own_seconds
    print(f"references: {len(problems)}")
    for name, number in count.items():
        print(f"  {name}: {number}")


def faults(verifier: VerilogVerifier, problems: Sequence[Problem], each: int) -> None:
    """Print what both graders make of mutants, and what is proved about those that survive here."""
    count: Counter[str] = Counter()
    for problem in problems:
        rng = np.random.default_rng(derive_seed("mutants", problem.task.id))
        for mutant in mutants(problem.solution, rng, each):
            own, _ = own_grader(problem, mutant.source)
            here, _ = ours(verifier, problem, mutant.source)
            count["mutants"] += 1
            count["rejected by the own testbench"] += not own
            count["rejected here, of those"] += not own and not here
            count["rejected here only"] += own and not here
            if here:
                proof = equivalence(
                    verilog_sandbox(), problem.solution, mutant.source,
                    reference_interface(problem.target, verilog_sandbox()), gold_top="TopModule", gate_top="TopModule",
                )  # fmt: skip
                count[f"survives here, proved {proof.answer.value}"] += 1
                if proof.answer is not Answer.EQUIVALENT:
                    print(f"  {problem.task.id} line {mutant.line}: {mutant.change} ({proof.answer.value})")
    print("mutants:")
    for name, number in count.items():
        print(f"  {name}: {number}")


def paid(verifier: VerilogVerifier, problems: Sequence[Problem]) -> None:
    """Print how many problems each cheat is paid on."""
    source, sandbox = GoldenSource(), verilog_sandbox()
    table: dict[str, list[int]] = {}
    judged = 0
    for problem in problems:
        golden = source.get(problem.target, sandbox)
        if len(set(golden.samples)) < 2:
            continue  # a constant is right here
        judged += 1
        made = cheats("TopModule", golden.interface, problem.target.reference)
        for name, design in made.items():
            row = table.setdefault(name, [0, 0])
            row[0] += bool(ours(verifier, problem, design, 2)[0])
            row[1] += name not in SLOW and own_grader(problem, design)[0]
    print(f"cheats paid, of {judged} problems: here, own grader")
    for name, (here, own) in table.items():
        print(f"  {name}: {here}, {'-' if name in SLOW else own}")


def chains(verifier: VerilogVerifier) -> None:
    """Print the CPU time of a check of each long chain, by 500 samples."""
    print("CPU ms of a check of long chains:")
    for name, design in CHAINS.items():
        target = read_target({"top": "TopModule", "reference": design, "cycles": 500})
        problem = Problem(Task(id=name, prompt="", target=None), target, design.replace("RefModule", "TopModule"))
        ours(verifier, problem, problem.solution)  # makes the golden run
        accepted, seconds = ours(verifier, problem, problem.solution)
        print(f"  {name}: {seconds * 1e3:.0f}{'' if accepted else ', REFUSED'}")


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mutants", type=int, default=2, help="for each problem")
    parser.add_argument("--cheats", type=int, default=20, help="problems to cheat on")
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    tasks = design_tasks(options.folder, options.limit)
    problems = [Problem(task, read_target(task.target), str(task.metadata["solution"])) for task in tasks]
    verifier = VerilogVerifier()
    measured = list(references(verifier, problems))
    for name, column in (("here", [row[1] for row in measured]), ("own grader", [row[2] for row in measured])):
        ordered = sorted(column)
        p95 = ordered[int(0.95 * len(ordered))]
        print(f"CPU ms of a check, {name}: median {statistics.median(column) * 1e3:.0f}, p95 {p95 * 1e3:.0f}")
    chains(verifier)
    usable = [row[0] for row in measured]
    faults(verifier, usable, options.mutants)
    paid(verifier, usable[:: max(1, len(usable) // options.cheats)])


if __name__ == "__main__":
    main()
