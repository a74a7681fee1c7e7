"""Designs whose truth is certain, made from tasks with a reference: to judge a grader of designs by.

Right: the reference, and rearrangements of it that are the same by construction. Wrong: mutants with a witness, a
sample of a stimulus of this module's own in which reference and mutant have different known values; and the cheats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assay.audits.case import Case, Certificate, Relation
from assay.audits.hardware.cheats import cheats, header
from assay.core.seeding import derive_seed, short_hash
from assay.core.task import Task
from assay.sandboxes import Sandbox
from assay.verifiers.verilog.compare import compatible, constant_matches
from assay.verifiers.verilog.flow import FlowRequest, NoDesign, run_flow
from assay.verifiers.verilog.golden import Golden, GoldenSource
from assay.verifiers.verilog.mutants import Mutant, mutants
from assay.verifiers.verilog.target import Target, read_target

CLASS = "design"
_CYCLES = 512
ATTACK_CPU_SECONDS = 2
"""Limit of one check under attack: cheats that never end should not take for ever."""


@dataclass(frozen=True, slots=True)
class Known:
    """A task, and how its reference behaves on a stimulus of the audit's own."""

    task: Task
    target: Target
    golden: Golden

    @property
    def solution(self) -> str:
        """The reference as an answer."""
        return re.sub(rf"\b{self.target.reference_top}\b", self.target.top, self.target.reference)

    @property
    def constant(self) -> bool:
        """Whether a constant is a right answer, as far as the stimulus tells."""
        return constant_matches(self.golden.samples) == len(self.golden.samples)


def know(sandbox: Sandbox, task: Task, source: GoldenSource, seed: int) -> Known:
    """Simulate the reference of a task. Raises `UnusableReference` when there is none that simulates."""
    target = read_target(task.target)
    own = derive_seed("design audit", seed, task.id)
    plain = replace(target, testbench="", stimulus=None, expected=(), cycles=_CYCLES, seed=own)
    return Known(task, target, source.get(plain, sandbox))


def certified_designs(sandbox: Sandbox, known: Known, rng: np.random.Generator, *, each: int = 4) -> list[Case]:
    """Return the reference, its rearrangements, and up to `each` mutants with a witness. Raises `SandboxFault`."""
    cases = [_case(known, known.solution, "identity", "equal", "reference", "the reference itself")]
    for name, design in rearrangements(known):
        cases.append(_case(known, design, name, "equal", "construction", name))
    for mutant in mutants(known.solution, rng, 3 * each):
        if len(cases) >= 2 * each + 1:
            break
        witness = _witness(sandbox, known, mutant)
        if witness:
            argument = f"line {mutant.line}: {mutant.change}; {witness}"
            cases.append(_case(known, mutant.source, f"mutant/{mutant.kind}", "different", "witness", argument))
    return cases


def rearrangements(known: Known) -> Iterator[tuple[str, str]]:
    """Yield designs that are the reference in another dress: within a module, behind two inverters, commented."""
    top, interface = known.target.top, known.golden.interface
    inner = re.sub(rf"\b{top}\b", f"inner_{top}", known.solution)
    wires = ", ".join(f".{port.name}({port.name})" for port in reversed(interface.ports))
    yield "wrapped", f"{inner}\n{header(top, interface)}\n  inner_{top} core ({wires});\nendmodule\n"
    inputs = ", ".join(f".{port.name}({port.name})" for port in interface.inputs)
    outputs = ", ".join(f".{port.name}(n_{port.name})" for port in interface.outputs)
    lines = [f"  wire [{p.width - 1}:0] n_{p.name};\n  assign {p.name} = ~(~n_{p.name});" for p in interface.outputs]
    body = "\n".join(lines)
    joined = ", ".join(filter(None, (inputs, outputs)))
    yield "inverted twice", f"{inner}\n{header(top, interface)}\n{body}\n  inner_{top} core ({joined});\nendmodule\n"
    yield "commented", f"`timescale 1ns / 1ps\n// the design: endmodule\n{known.solution}\n/* done; $finish */\n"


def attack_designs(known: Sequence[Known], *, most: int = 600, seed: int = 0) -> list[Case]:
    """Return cheats on tasks whose outputs are not constant, spread evenly."""
    prey = [item for item in known if not item.constant]
    if not prey:
        return []
    rng = np.random.default_rng(derive_seed("design attacks", seed))
    made = [cheats(item.target.top, item.golden.interface, item.solution) for item in prey]
    names = list(made[0])
    share = min(len(prey), max(1, most // len(names)))
    cases = []
    for name in names:
        for index in rng.permutation(len(prey))[:share]:
            item = prey[int(index)]
            case = _case(item, made[int(index)][name], name, "different", "cheat", name)
            target = {**item.task.target, "cpu_seconds": ATTACK_CPU_SECONDS}
            cases.append(replace(case, id=f"attack/{name}/{item.task.id}", origin="attack", cls=name, target=target))
    return cases


def _witness(sandbox: Sandbox, known: Known, mutant: Mutant) -> str:
    """Return where the mutant has another known value than the reference; empty when that is not seen."""
    golden = known.golden
    request = FlowRequest(known.target.top, golden.interface, ("simulate",), golden.stimulus)
    try:
        samples = run_flow(sandbox, mutant.source, request, known.target.limits).samples
    except NoDesign:
        return ""  # refused for its form: no doubt wrong, but nothing that a testbench could show
    for index, (got, wanted) in enumerate(zip(samples, golden.samples, strict=True)):
        if not compatible(got, wanted):
            return f"sample {index} is {got[:64]}, not {wanted[:64]}"
    return ""


def _case(known: Known, code: str, family: str, relation: Relation, method: str, argument: str) -> Case:
    return Case(
        id=f"{known.task.id}/{family}/{short_hash(code, 6)}",
        target=known.task.target,
        response=f"```verilog\n{code.rstrip()}\n```",
        correct=relation == "equal",
        origin="certified",
        cls=CLASS,
        family=family,
        problem=str(known.task.prompt),
        cluster=known.task.id,
        certificate=Certificate(relation, method, argument),
        answer=code,
    )
