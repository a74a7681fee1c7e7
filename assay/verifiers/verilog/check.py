"""One design against its golden samples: as it was written, and as it was synthesised.

Both are simulated side by side, in one run that holds neither golden model nor expected value. The source must match;
the netlist must not contradict. So what simulates well and means something else in hardware is wrong, and so is what
only happens to come out of synthesis: an `x` that became the right constant. A netlist with latches is not simulated:
without delays its result depends on which of two changes the simulator takes first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.sandboxes import Sandbox
from assay.verifiers.verilog.compare import Agreement, compare
from assay.verifiers.verilog.flow import FlowRequest, run_flow
from assay.verifiers.verilog.golden import Golden
from assay.verifiers.verilog.target import Target


@dataclass(frozen=True, slots=True)
class Checked:
    """A design that ran, and how its samples compare."""

    agreement: Agreement
    samples: tuple[str, ...]
    netlist: bool
    """Whether the netlist was simulated, too."""
    tier: int = 0
    cpu_seconds: float = 0.0


def check_design(sandbox: Sandbox, design: str, target: Target, golden: Golden) -> Checked:
    """Synthesise, simulate, compare. Raises `NoDesign`, `MissingToolchain`, `SandboxFault`."""
    request = FlowRequest(target.top, golden.interface, ("netlist", "simulate"), golden.stimulus)
    report = run_flow(sandbox, design, request, target.limits)
    agreement = compare(report.samples, golden.samples, report.netlist)
    result = report.result
    if result is None:
        return Checked(agreement, report.samples, report.netlist is not None)
    return Checked(agreement, report.samples, report.netlist is not None, result.tier.value, result.cpu_seconds)


def measure(sandbox: Sandbox, design: str, top: str, target: Target) -> dict[str, float]:
    """Return cells, transistors and logic levels after synthesis. Raises as `check_design`."""
    report = run_flow(sandbox, design, FlowRequest(top, steps=("measure",)), replace(target, cpu_seconds=60.0).limits)
    return dict(report.measured)
