"""What a design is tested by, as the target of a task holds it (JSON).

    {"top": "TopModule", "reference": "module RefModule ...", "reference_top": "RefModule",
     "testbench": "module tb ..."}                         a published testbench, whose stimulus is recorded once
    {"top": ..., "reference": ..., "cycles": 256, "seed": 7}               a generated stimulus
    {"top": ..., "ports": [["clk", "input", 1], ...], "stimulus": {"rows": "...", "samples": [...]},
     "expected": "01x 011 ..."}              everything given; a reference then only sets the baseline of costs

Optional: `context` (other modules that the design may use, appended to it), `prefix` (source that an answer without a
module of its own continues), `cpu_seconds`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.sandboxes.base import Limits
from assay.verifiers.verilog.trace import Interface, Stimulus, read_bits, read_interface, read_stimulus

_MODULE = re.compile(r"\bmodule\s+(?:automatic\s+)?([A-Za-z_]\w*)")
_NAME = re.compile(r"[A-Za-z_]\w*")
CPU_SECONDS = 20.0
MEMORY_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Target:
    """A design task."""

    top: str
    reference: str = ""
    reference_top: str = ""
    testbench: str = ""
    cycles: int = 256
    seed: int = 0
    interface: Interface | None = None
    stimulus: Stimulus | None = None
    expected: tuple[str, ...] = ()
    context: str = ""
    prefix: str = ""
    cpu_seconds: float = CPU_SECONDS

    @property
    def limits(self) -> Limits:
        """Limits of one check."""
        disk = 256 * 2**20
        return Limits(cpu_seconds=self.cpu_seconds, memory_bytes=MEMORY_BYTES, output_bytes=disk, disk_bytes=disk)

    def assemble(self, code: str) -> str:
        """Return the whole design: the code, upon the prefix if it brings no module of that name, and the context."""
        if self.prefix and self.top not in _MODULE.findall(code):
            code = f"{self.prefix.rstrip()}\n{code}"
        return f"{code}\n{self.context}" if self.context else code


def read_target(data: Any) -> Target:
    """Return the task of a target. ValueError says what is wrong with it."""
    if not isinstance(data, Mapping):
        raise ValueError(f"the target must be an object, not {type(data).__name__}")
    top = str(data.get("top", ""))
    if not _NAME.fullmatch(top):
        raise ValueError(f"top must name the module to write, not {top!r}")
    reference = str(data.get("reference") or "")
    names = _MODULE.findall(reference)
    reference_top = str(data.get("reference_top") or (top if top in names else names[-1] if names else ""))
    if reference and reference_top not in names:
        raise ValueError(f"the reference holds no module {reference_top!r}")
    interface = read_interface(data["ports"]) if "ports" in data else None
    stimulus: Stimulus | None = None
    expected: tuple[str, ...] = ()
    if "stimulus" in data:
        if interface is None or "expected" not in data:
            raise ValueError("a stimulus needs ports and expected outputs")
        stimulus = read_stimulus(data["stimulus"], interface)
        expected = read_bits(data["expected"], interface.output_width, "expected")
        if len(expected) != stimulus.count:
            raise ValueError(f"{len(expected)} expected outputs for {stimulus.count} samples")
    elif not reference:
        raise ValueError("the target has neither a reference nor a stimulus with expected outputs")
    cycles = int(data.get("cycles", 256))
    if not 1 <= cycles <= 100_000:
        raise ValueError("cycles must be between 1 and 100,000")
    return Target(
        top,
        reference,
        reference_top,
        str(data.get("testbench") or ""),
        cycles,
        int(data.get("seed", 0)),
        interface,
        stimulus,
        expected,
        str(data.get("context") or ""),
        str(data.get("prefix") or ""),
        float(data.get("cpu_seconds", CPU_SECONDS)),
    )
