"""How strong is a testbench? Measured by the mutants of the reference that it tells from the reference.

A mutant that survives and is proved equivalent is no fault and does not count; one that is proved different is a hole
in the testbench; one about which nothing can be proved is reported as such. `generate_testbench` makes a stimulus and
lengthens it until no hole is left that it can close.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from assay.sandboxes import Sandbox
from assay.verifiers.verilog.check import check_design
from assay.verifiers.verilog.flow import NoDesign
from assay.verifiers.verilog.formal import Answer, equivalence
from assay.verifiers.verilog.golden import Golden, GoldenSource
from assay.verifiers.verilog.mutants import Mutant, mutants
from assay.verifiers.verilog.target import Target

_LENGTHS = (64, 256, 1024, 4096)


@dataclass(frozen=True, slots=True)
class Strength:
    """What became of the mutants."""

    killed: int
    equivalent: int
    missed: tuple[Mutant, ...]
    """Survivors that are proved different."""
    undecided: tuple[Mutant, ...]
    """Survivors about which nothing could be proved."""

    @property
    def killable(self) -> int:
        """Mutants that are faults, the undecided ones counted as such."""
        return self.killed + len(self.missed) + len(self.undecided)

    @property
    def score(self) -> float:
        """Share of the killable mutants that were killed; 1 when there are none."""
        return self.killed / self.killable if self.killable else 1.0


def measure_strength(
    sandbox: Sandbox, target: Target, golden: Golden, faults: Sequence[Mutant], *, seconds: int = 10
) -> Strength:
    """Run mutants of the reference against the golden samples. `seconds`: for the proof about each survivor."""
    survivors = [mutant for mutant in faults if _survives(sandbox, mutant.source, target, golden)]
    equivalent = 0
    missed: list[Mutant] = []
    undecided: list[Mutant] = []
    for mutant in survivors:
        found = equivalence(
            sandbox, target.reference, mutant.source, golden.interface,
            gold_top=target.reference_top, gate_top=target.reference_top, seconds=seconds,
        )  # fmt: skip
        if found.answer is Answer.EQUIVALENT:
            equivalent += 1
        else:
            (missed if found.answer is Answer.DIFFERENT else undecided).append(mutant)
    return Strength(len(faults) - len(survivors), equivalent, tuple(missed), tuple(undecided))


def _survives(sandbox: Sandbox, design: str, target: Target, golden: Golden) -> bool:
    try:
        checked = check_design(sandbox, design, replace(target, top=target.reference_top), golden)
    except NoDesign:
        return False
    return checked.agreement.complete


def generate_testbench(
    sandbox: Sandbox, target: Target, rng: np.random.Generator, *, faults: int = 40, goal: float = 1.0
) -> tuple[dict[str, Any], Strength]:
    """Return a target with stimulus and expected outputs, and the strength that it was measured to have.

    Args:
        sandbox: where the tools run.
        target: a task with a reference; its testbench or stimulus is not looked at.
        rng: draws the mutants.
        faults: how many mutants to use.
        goal: the strength at which to stop lengthening the stimulus.

    Raises:
        UnusableReference: the reference cannot be simulated.
    """
    drawn = mutants(target.reference, rng, faults)
    source = GoldenSource()
    best: tuple[Golden, Strength] | None = None
    for cycles in _LENGTHS:
        plain = replace(target, testbench="", stimulus=None, expected=(), cycles=cycles)
        golden = source.get(plain, sandbox)
        strength = measure_strength(sandbox, plain, golden, drawn)
        if best is None or strength.score > best[1].score:
            best = golden, strength
        if strength.score >= goal:
            break
    assert best is not None
    golden, strength = best
    made = {
        "top": target.top,
        "reference": target.reference,
        "reference_top": target.reference_top,
        "ports": golden.interface.json(),
        "stimulus": golden.stimulus.json(),
        "expected": " ".join(golden.samples),
    }
    return made, strength
