"""Are two designs the same? An oracle for audits and for measuring testbenches, that says so when it does not know.

`EQUIVALENT` and `DIFFERENT` are proved for synthesised designs, after a reset where there is one, and for inputs that
are known; `UNKNOWN` is everything else: a proof that takes too long, or a design that cannot be synthesised. Formal
tools lie silently when they are set up slightly wrong, so this one is calibrated: its tests hold designs that differ in
an edge, a reset, an initial value or an unknown, and none of them may be proved equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from assay.sandboxes import Job, Limits, Sandbox
from assay.verifiers.verilog.flow import inside_files, run_job
from assay.verifiers.verilog.stimulus import find_roles
from assay.verifiers.verilog.trace import Interface

_MAIN = "import sys; sys.path.insert(0, '.'); sys.dont_write_bytecode = True; from inside.formal import main; main()"


class Answer(StrEnum):
    """What is known about two designs."""

    EQUIVALENT = "equivalent"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Equivalence:
    """An answer and why."""

    answer: Answer
    reason: str
    cpu_seconds: float = 0.0


def equivalence(
    sandbox: Sandbox,
    gold: str,
    gate: str,
    interface: Interface,
    *,
    gold_top: str,
    gate_top: str,
    resets: Mapping[str, int] | None = None,
    seconds: int = 10,
    steps: int = 40,
) -> Equivalence:
    """Compare `gate` with `gold`.

    Args:
        sandbox: where Yosys runs.
        gold: source of the design that is right; its unknown bits may be anything.
        gate: source of the other one.
        interface: ports of both.
        gold_top: module of the gold.
        gate_top: module of the other.
        resets: inputs that reset, and at which level; by default found by name.
        seconds: for the solver.
        steps: depth of the induction.

    Raises:
        SandboxFault: the sandbox failed. MissingToolchain: Yosys or pyslang is missing.
    """
    resets = find_roles(interface).resets if resets is None else resets
    request = {
        "gold": gold_top, "gate": gate_top, "ports": interface.json(), "resets": dict(resets or {}),
        "seconds": seconds, "steps": steps,
    }  # fmt: skip
    files = {
        **inside_files(),
        "gold.sv": gold.encode("utf-8", "surrogatepass"),
        "gate.sv": gate.encode("utf-8", "surrogatepass"),
    }
    limits = Limits(cpu_seconds=seconds * 2 + 10, memory_bytes=2 * 2**30, output_bytes=32 * 2**20)
    result = run_job(sandbox, Job(source=_MAIN, stdin=json.dumps(request).encode(), files=files, limits=limits))
    try:
        report = json.loads(result.stdout)
        return Equivalence(Answer(report["status"]), str(report["reason"]), result.cpu_seconds)
    except (ValueError, KeyError, TypeError):
        return Equivalence(Answer.UNKNOWN, result.reason or "no answer", result.cpu_seconds)
