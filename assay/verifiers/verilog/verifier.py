"""The verifier `verilog`: does the module of a response do what the task's reference does?

Invariants:

* Golden values and the comparison never enter a sandbox that holds the candidate; the golden model has its own run.
* The denominator is the number of all samples. A run that stops early or hits a limit is wrong.
* What could not be found out is no verdict: a fault, a missing tool, a gold that cannot be used, a tool that crashed.
* Costs (PPA) count for fully correct designs only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.core.verdict import Status, Verdict, no_verdict, right, wrong
from assay.sandboxes import Sandbox, SandboxFault
from assay.sandboxes.languages import MissingToolchain
from assay.sandboxes.languages.cache import BuildCache, build_key
from assay.verifiers.base import Evidence, Isolation, Verifier
from assay.verifiers.verilog import ppa
from assay.verifiers.verilog.check import Checked, check_design, measure
from assay.verifiers.verilog.extract import extract_design
from assay.verifiers.verilog.flow import NoDesign, verilog_sandbox
from assay.verifiers.verilog.golden import GoldenSource, UnusableReference
from assay.verifiers.verilog.target import Target, read_target

Credit = Literal["all", "graded"]
_SYNTAX, _SYNTHESIS = 0.05, 0.05
"""Shares of `graded` credit for a design that parses, and for one that can be synthesised."""
_golden = GoldenSource()


@dataclass(frozen=True, slots=True)
class Judged:
    """All that was found out about one design, before it becomes a score."""

    code: str
    checked: Checked | None = None
    refusal: NoDesign | None = None
    costs: dict[str, float] | None = None
    reference_costs: dict[str, float] | None = None

    @property
    def correct(self) -> bool:
        """Whether every sample matches."""
        return self.checked is not None and self.checked.agreement.complete

    @property
    def syntax(self) -> float:
        """1 when the parser took the design and its ports are the ones asked for."""
        return float(self.checked is not None or (self.refusal is not None and self.refusal.stage != "gate"))

    @property
    def synthesis(self) -> float:
        """1 when there is a netlist."""
        stages = ("compile", "simulation", "limits")
        return float(self.checked is not None or (self.refusal is not None and self.refusal.stage in stages))

    @property
    def function(self) -> float:
        """Graded by samples, beyond what the best constant gets."""
        return 0.0 if self.checked is None else self.checked.agreement.grade


class VerilogVerifier(Verifier):
    """Checks a design by simulation of its netlist.

    Args:
        credit: `all`: 1 if every sample matches, else 0. `graded`: 0.05 for what parses, 0.05 for what synthesises,
            and 0.9 by the samples that match beyond the best constant's.
        ppa: What a correct design may earn above 1: this times min(1, reference / candidate), the geometric mean
            over transistors and logic levels. 0 measures nothing.
        sandbox: Where to run; by default the one that this process keeps for designs.
    """

    name = "verilog"
    isolation: Isolation = "sandbox"

    def __init__(self, *, credit: Credit = "all", ppa: float = 0.0, sandbox: Sandbox | None = None) -> None:
        if credit not in get_args(Credit):
            raise ConfigError(f"unknown credit {credit!r}; use one of {', '.join(get_args(Credit))}")
        if not 0 <= ppa <= 10:
            raise ConfigError(f"ppa must be between 0 and 10, not {ppa!r}")
        self.credit, self.ppa = credit, float(ppa)
        self.score_range = (0.0, 1.0 + self.ppa)
        self._sandbox = sandbox
        self._costs: BuildCache[dict[str, float]] = BuildCache(2**20)

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox that designs run in."""
        return self._sandbox if self._sandbox is not None else verilog_sandbox()

    @property
    def measures(self) -> bool:
        """Whether correct designs are measured."""
        return self.ppa > 0

    def check_target(self, task: Task) -> str | None:
        """Return why the target cannot be read, or None. The reference is not run."""
        try:
            read_target(task.target)
        except (ValueError, TypeError) as error:
            return str(error)
        return None

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Extract, check, score."""
        try:
            target = read_target(task.target)
        except (ValueError, TypeError) as error:
            return no_verdict(f"target: {error}", status="unparsable")
        code = extract_design(evidence.text, target.top)
        if code is None:
            return wrong("no complete code block", status="no_answer")
        try:
            judged = self.examine(code, target)
        except UnusableReference as problem:
            return no_verdict(f"reference: {problem}", status="unparsable", extracted=code)
        except (SandboxFault, MissingToolchain) as fault:
            return no_verdict(str(fault), extracted=code)
        if judged.refusal is not None and judged.refusal.undecided:
            return no_verdict(str(judged.refusal), status="abstained", extracted=code)
        return self._verdict(judged)

    def examine(self, code: str, target: Target) -> Judged:
        """Find out all there is to know. Raises `UnusableReference`, `SandboxFault`, `MissingToolchain`."""
        golden = _golden.get(target, self.sandbox)
        design = target.assemble(code)
        try:
            checked = check_design(self.sandbox, design, target, golden)
        except NoDesign as refusal:
            return Judged(code, refusal=refusal)
        if not (self.measures and checked.agreement.complete and target.reference):
            return Judged(code, checked)
        try:
            costs = measure(self.sandbox, design, target.top, target)
            return Judged(code, checked, costs=costs, reference_costs=self._reference_costs(target))
        except NoDesign:
            return Judged(code, checked)  # such as a design that takes too long to map: no bonus

    def score(self, judged: Judged) -> float:
        """Return the score; presets override it."""
        if not judged.correct:
            if self.credit == "all":
                return 0.0
            share = 1.0 - _SYNTAX - _SYNTHESIS
            return _SYNTAX * judged.syntax + _SYNTHESIS * judged.synthesis + share * judged.function
        return 1.0 + self.ppa * (quality_of(judged) or 0.0)

    def _reference_costs(self, target: Target) -> dict[str, float]:
        key = build_key(target.reference, target.reference_top, target.context)
        known = self._costs.get(key)
        if known is None:
            reference = f"{target.reference}\n{target.context}"
            known = measure(self.sandbox, reference, target.reference_top, target)
            self._costs.put(key, known, 200)
        return known

    def _verdict(self, judged: Judged) -> Verdict:
        parts: dict[str, float | None] = {
            "outcome": float(judged.correct),
            "syntax": judged.syntax,
            "synthesis": judged.synthesis,
            "function": judged.function,
        }
        if self.measures:
            parts["ppa"] = quality_of(judged)
        fields: dict[str, Any] = {"extracted": judged.code, "parts": parts, "details": _details(judged)}
        score = self.score(judged)
        if judged.correct:
            return right(score, **fields)
        if judged.refusal is not None:
            refusal = judged.refusal
            status: Status = "tampered" if refusal.tampering else "ok"
            return wrong(f"{refusal.stage}: {refusal}", score=score, status=status, stage=refusal.stage, **fields)
        assert judged.checked is not None
        found = judged.checked.agreement
        why = f"{found.total - found.matched} of {found.total} samples differ, first number {found.first}"
        if found.contradicted:
            why += f"; in {found.contradicted} the netlist differs from the source"
        return wrong(why, score=score, stage="simulation", **fields)


def quality_of(judged: Judged) -> float | None:
    """Return the PPA quality of a correct design in [0, 1], None where it was not measured."""
    if not judged.correct or judged.costs is None or judged.reference_costs is None:
        return None
    return ppa.quality(judged.reference_costs, judged.costs)


def _details(judged: Judged) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if judged.checked is not None:
        found = judged.checked.agreement
        details |= {"samples": found.total, "matched": found.matched, "constant": found.constant}
        details |= {"netlist": judged.checked.netlist, "tier": judged.checked.tier}
    if judged.costs is not None:
        details |= {"costs": judged.costs, "reference_costs": judged.reference_costs}
    return details
