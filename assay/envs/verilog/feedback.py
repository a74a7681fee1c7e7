"""What a designer is told between two turns: the tools' own words, or the first sample that differs.

The stimulus shown is one of its own, drawn from the reference with another seed and short; nothing of the stimulus
that judges is in it.
"""

from __future__ import annotations

from dataclasses import replace

from assay.core.seeding import derive_seed
from assay.sandboxes import Sandbox, SandboxFault
from assay.sandboxes.languages import MissingToolchain
from assay.verifiers.verilog.check import check_design
from assay.verifiers.verilog.flow import NoDesign
from assay.verifiers.verilog.golden import Golden, GoldenSource, UnusableReference
from assay.verifiers.verilog.lint import lint
from assay.verifiers.verilog.target import Target

_CYCLES = 48
_SHOWN = 1200
_ROWS = 8
"""How many of the rows before a difference are shown."""


class Feedback:
    """Says how a design does on the public stimulus of its task."""

    def __init__(self, target: Target) -> None:
        # Without its own stimulus, testbench and expected outputs the target falls back to a generated stimulus.
        self.top = target.top
        seed = derive_seed("public stimulus", target.seed)
        self._target = replace(target, testbench="", stimulus=None, expected=(), cycles=_CYCLES, seed=seed)
        self._source = GoldenSource()

    def __call__(self, code: str, sandbox: Sandbox) -> str | None:
        """Return what is wrong, or None when nothing is found. Raises `SandboxFault`."""
        target = self._target
        try:
            golden = self._source.get(target, sandbox)
            checked = check_design(sandbox, target.assemble(code), target, golden)
        except NoDesign as refusal:
            return f"{_WORDS[refusal.stage]}\n{str(refusal)[:_SHOWN]}"
        except (UnusableReference, MissingToolchain) as problem:
            raise SandboxFault(str(problem)) from None
        if checked.agreement.first is None:
            return None
        found = checked.agreement
        share = f"{found.total - found.matched} of {found.total} samples of a test run are wrong."
        if found.contradicted:
            share += " In some the module simulates rightly but is synthesised into something else."
        warnings = lint(sandbox, target.assemble(code), target.top)
        advice = "\nVerilator says:\n" + "\n".join(warnings)[:_SHOWN] if warnings else ""
        return f"{share}\n{_table(golden, checked.samples, found.first or 0)}{advice}"


_WORDS = {
    "gate": "The module is refused:",
    "synthesis": "The module cannot be synthesised:",
    "compile": "The module cannot be simulated:",
    "simulation": "The simulation failed:",
    "limits": "The module takes too many resources:",
}


def _table(golden: Golden, samples: tuple[str, ...], first: int) -> str:
    """Return the rows up to the first wrong sample: inputs, outputs, and what was expected last."""
    interface, stimulus = golden.interface, golden.stimulus
    row = sorted(stimulus.sampled())[first]
    lines = ["Inputs " + " ".join(port.name for port in interface.inputs) + ", the last line being the wrong one:"]
    for index in range(max(0, row - _ROWS + 1), row + 1):
        lines.append("  " + " ".join(_split(stimulus.rows[index], [port.width for port in interface.inputs])))
    widths = [port.width for port in interface.outputs]
    got, wanted = _split(samples[first], widths), _split(golden.samples[first], widths)
    for port, have, want in zip(interface.outputs, got, wanted, strict=True):
        if have != want:
            lines.append(f"{port.name} is {have}, expected {want}")
    return "\n".join(lines)


def _split(word: str, widths: list[int]) -> list[str]:
    parts, position = [], 0
    for width in widths:
        parts.append(word[position : position + width])
        position += width
    return parts
