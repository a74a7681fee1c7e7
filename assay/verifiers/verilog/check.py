"""One design against its golden samples: as it was written, and as it was synthesised.

Both are simulated side by side, in one run that holds neither golden model nor expected value. The source must match;
the netlist must not contradict. So what simulates well and means something else in hardware is wrong, and so is what
only happens to come out of synthesis: an `x` that became the right constant. A netlist with latches is not simulated:
without delays its result depends on which of two changes the simulator takes first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.sandboxes import Sandbox
from assay.sandboxes.languages.cache import BuildCache, build_key
from assay.verifiers.verilog.compare import Agreement, compare
from assay.verifiers.verilog.flow import FlowRequest, NoDesign, run_flow
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


_known: BuildCache[bool] = BuildCache(2**20)


def _synthesisable(sandbox: Sandbox, target: Target) -> bool:
    """Whether the reference can be synthesised: nobody asks more of a design than that."""
    if not target.reference:
        return True
    reference = f"{target.reference}\n{target.context}"
    key = build_key(reference, target.reference_top)
    known = _known.get(key)
    if known is None:
        try:
            run_flow(sandbox, reference, FlowRequest(target.reference_top, None, ("netlist",)), target.limits)
            known = True
        except NoDesign as refusal:
            known = refusal.stage != "synthesis"
        _known.put(key, known, 100)
    return known


def check_design(sandbox: Sandbox, design: str, target: Target, golden: Golden) -> Checked:
    """Synthesise, simulate, compare. Raises `NoDesign`, `MissingToolchain`, `SandboxFault`."""
    request = FlowRequest(target.top, golden.interface, ("netlist", "simulate"), golden.stimulus)
    try:
        report = run_flow(sandbox, design, request, target.limits)
    except NoDesign as refusal:
        if (refusal.stage, refusal.kind) != ("synthesis", "failed") or _synthesisable(sandbox, target):
            raise
        report = run_flow(sandbox, design, replace(request, steps=("simulate",)), target.limits)
    agreement = compare(report.samples, golden.samples, report.netlist)
    result = report.result
    if result is None:
        return Checked(agreement, report.samples, report.netlist is not None)
    return Checked(agreement, report.samples, report.netlist is not None, result.tier.value, result.cpu_seconds)


def measure(sandbox: Sandbox, design: str, top: str, target: Target) -> dict[str, float]:
    """Return cells, transistors and logic levels after synthesis. Raises as `check_design`."""
    report = run_flow(sandbox, design, FlowRequest(top, steps=("measure",)), replace(target, cpu_seconds=60.0).limits)
    return dict(report.measured)
