"""Hand a design to the tools inside the sandbox, and read what they left.

One job does it all: the parser's gate, Yosys, Icarus. What comes back is untrusted; here it is read strictly into a
`FlowReport`, or it is no design (`NoDesign`), which says whose fault that is and how far the design got.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from assay.sandboxes import Job, JobResult, Limits, LocalSandbox, Sandbox, SandboxFault
from assay.sandboxes.languages import MissingToolchain
from assay.verifiers.verilog.bench import bench_name, read_samples, write_bench, write_rows
from assay.verifiers.verilog.trace import Interface, Stimulus

Step = Literal["netlist", "simulate", "measure"]
Stage = Literal["gate", "synthesis", "compile", "simulation", "limits"]

_INSIDE = Path(__file__).parent / "inside"
_MAIN = "import sys; sys.path.insert(0, '.'); sys.dont_write_bytecode = True; from inside.flow import main; main()"
_NO_PARSER = "No module named 'pyslang'"
_NEEDS = {"yosys": "yosys", "iverilog": "iverilog", "vvp": "iverilog"}


class NoDesign(Exception):
    """The design did not get through: a finding, not an error. `str()` is one line or the tool's own words."""

    def __init__(self, reason: str, *, stage: Stage, kind: str, tampering: bool = False) -> None:
        super().__init__(reason)
        self.stage, self.kind, self.tampering = stage, kind, tampering

    @property
    def undecided(self) -> bool:
        """Whether this says nothing about the design: a tool that crashed, a machine without time."""
        return self.kind in ("crash", "wall_limit")


@dataclass(frozen=True, slots=True)
class FlowRequest:
    """What to do with a design. Without steps: only the gate."""

    top: str
    interface: Interface | None = None
    """Ports that the design must have; None to take what it has."""
    steps: tuple[Step, ...] = ()
    stimulus: Stimulus | None = None


@dataclass(frozen=True, slots=True)
class FlowReport:
    """What the tools found out about a design that got through."""

    ports: tuple[tuple[str, str, int], ...]
    samples: tuple[str, ...] = ()
    netlist: tuple[str, ...] | None = None
    """The netlist's samples; None when it was not simulated."""
    measured: Mapping[str, float] = field(default_factory=dict)
    result: JobResult | None = None
    text: str = ""
    """The design in words that every tool can read; only after a request without steps."""


def run_flow(sandbox: Sandbox, design: str, request: FlowRequest, limits: Limits) -> FlowReport:
    """Run the steps. Raises `NoDesign`, `MissingToolchain`, `SandboxFault`."""
    name = bench_name()
    files = {**inside_files(), "design.sv": design.encode("utf-8", "surrogatepass")}
    if "simulate" in request.steps:
        assert request.interface is not None
        assert request.stimulus is not None
        files["bench.v"] = write_bench(name, request.top, request.interface, request.stimulus).encode()
        files["rows.mem"] = write_rows(request.stimulus)
    ports = None if request.interface is None else request.interface.json()
    order = {"top": request.top, "ports": ports, "steps": list(request.steps), "bench": name}
    result = run_job(sandbox, Job(source=_MAIN, stdin=json.dumps(order).encode(), files=files, limits=limits))
    report = _read(result)
    if (report["stage"] != "done" and request.steps) or report.get("kind") != "ok":
        raise _refused(report)
    samples, netlist = _samples(report, request)
    measured = {str(key): float(value) for key, value in dict(report.get("measured", {})).items()}
    found = tuple((str(name), str(direction), int(width)) for name, direction, width in report.get("ports", ()))
    return FlowReport(found, samples, netlist, measured, result, str(report.get("text", "")))


def _samples(report: Mapping[str, Any], request: FlowRequest) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Return the samples of the source and, where it was simulated, of the netlist."""
    if "simulate" not in request.steps:
        return (), None
    assert request.stimulus is not None
    assert request.interface is not None
    width = request.interface.output_width
    twin = report.get("twin") is True
    words = read_samples(str(report.get("samples")), request.stimulus, width * (1 + twin))
    if words is None:
        raise NoDesign("the simulation did not answer every row", stage="simulation", kind="incomplete")
    if not twin:
        return words, None
    return tuple(word[:width] for word in words), tuple(word[width:] for word in words)


def run_job(sandbox: Sandbox, job: Job) -> JobResult:
    """Run a job of the tools; tells a missing tool from a fault, and a fault from what the design did."""
    result = sandbox.run(job)
    if result.fault:
        raise SandboxFault(result.reason)
    if result.status == "nonzero":
        said = result.stderr.decode("utf-8", "replace")
        if _NO_PARSER in said:
            raise MissingToolchain("designs are parsed by pyslang, which is missing: pip install 'assay-rl[verilog]'")
        for tool, package in _NEEDS.items():
            if f"No such file or directory: '{tool}'" in said or f"{tool}: not found" in said:
                raise MissingToolchain(f"designs need {tool}, which the sandbox has not; Debian's package: {package}")
    return result


def _read(result: JobResult) -> dict[str, Any]:
    if result.status in ("cpu_limit", "wall_limit", "memory_limit", "output_limit", "pids_limit", "broke_sandbox"):
        raise NoDesign(f"the design is too much: {result.reason}", stage="limits", kind=result.status)
    try:
        report = json.loads(result.stdout)
    except (ValueError, RecursionError):
        report = None
    if not isinstance(report, dict) or "stage" not in report:
        said = result.stderr.decode("utf-8", "replace").strip().splitlines()
        raise NoDesign(f"a tool crashed: {(said or [result.reason])[-1][:200]}", stage="gate", kind="crash")
    return report


def _refused(report: Mapping[str, Any]) -> NoDesign:
    return NoDesign(
        str(report.get("reason") or "no reason given"),
        stage=report["stage"],
        kind=str(report.get("kind")),
        tampering=bool(report.get("tampering")),
    )


@functools.cache
def inside_files() -> dict[str, bytes]:
    """Return the modules that run inside the sandbox, by the names under which they are laid there."""
    return {f"inside/{path.name}": path.read_bytes() for path in sorted(_INSIDE.glob("*.py"))}


@functools.cache
def verilog_sandbox() -> LocalSandbox:
    """Return the sandbox that this process runs designs in: with the parser loaded before any job needs it."""
    return LocalSandbox(preload="verilog")
