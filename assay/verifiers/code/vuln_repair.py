"""The verifier `vuln_repair`: is the program repaired, does it still do its work, and is nothing left to find?

    {"entry_point": "read", "harness": "...",
     "behaviour": [{"args": ["public", "a.txt"], "expected": "birch"}],
     "exploits": [{"args": ["public", "../key.txt"], "leaks": "AMBER-17"}]}

`behaviour` and `exploits` call the entry point, or the `function` that they name, of the candidate followed by the
harness. An exploit has succeeded if the reply holds the text `leaks`, is `returns`, or (`slow`) does not come in time;
an exception refuses it, the end of the process does not. The score is 1 if all behaviour is kept, no exploit succeeds,
and the static analyser finds nothing; else 0, with the shares in `parts`.

Invariants: expected values stay outside of the sandbox; of each behaviour and exploit the reply alone decides. Code
that does nothing fails its behaviour, code that is as it was is exploited, and a comment changes neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.sandboxes import Limits, SandboxFault
from assay.sandboxes.local.agent import codec
from assay.sandboxes.local.sandbox import default_sandbox
from assay.verifiers.base import Evidence, Isolation, Verifier
from assay.verifiers.code.analyser import analyse
from assay.verifiers.code.compare import same_value
from assay.verifiers.code.extract import definition, extract_code
from assay.verifiers.code.grade import GradingSandbox
from assay.verifiers.code.killable import Arguments, Reply, replies

LIMITS = Limits(cpu_seconds=4.0)
SLOW_LIMITS = Limits(cpu_seconds=1.0)
"""Under which a call that may be attacked to take for ever has to return."""


@dataclass(frozen=True, slots=True)
class _Probe:
    """One call, and what its reply must be (behaviour) or must not be (exploit)."""

    function: str
    args: tuple[Any, ...]
    row: Mapping[str, Any]


class VulnRepairVerifier(Verifier):
    """Judges repairs of vulnerable functions.

    Args:
        analysis: Whether findings of the static analyser count.
        sandbox: Where to run; by default the local sandbox that this process shares.
    """

    name = "vuln_repair"
    isolation: Isolation = "sandbox"

    def __init__(self, *, analysis: bool = True, sandbox: GradingSandbox | None = None) -> None:
        self.analysis = analysis
        self._sandbox = sandbox

    @property
    def sandbox(self) -> GradingSandbox:
        """The sandbox that programs run in."""
        return self._sandbox if self._sandbox is not None else default_sandbox()

    def check_target(self, task: Task) -> str | None:
        """Return why the target cannot be read, or None."""
        try:
            _read(task.target)
        except ValueError as error:
            return str(error)
        return None

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Extract, analyse, run."""
        try:
            behaviour, exploits, harness = _read(task.target)
        except ValueError as error:
            return no_verdict(f"target: {error}", status="unparsable")
        code = extract_code(evidence.text, defining=definition(task.target["entry_point"]))
        if code is None:
            return wrong("no complete code block", status="no_answer")
        try:
            findings = analyse(code)
        except ValueError as error:
            return wrong(str(error), extracted=code, parts={"behaviour": 0.0, "safety": 0.0, "analysis": 0.0})
        program = f"{code}\n\n{harness}"
        try:
            kept = [_kept(reply, probe) for probe, reply in zip(behaviour, self._ask(program, behaviour), strict=True)]
            safe = [_refused(reply, probe) for probe, reply in zip(exploits, self._ask(program, exploits), strict=True)]
        except SandboxFault as fault:
            return no_verdict(str(fault), extracted=code)
        parts: dict[str, float | None] = {
            "behaviour": sum(kept) / len(kept),
            "safety": sum(safe) / len(safe),
            "analysis": float(not findings),
        }
        details = {"findings": [f"{f.cwe} line {f.line}: {f.message}" for f in findings]}
        if all(kept) and all(safe) and not (findings and self.analysis):
            return right(extracted=code, parts=parts, details=details)
        return wrong(_why(kept, safe, details["findings"]), extracted=code, parts=parts, details=details)

    def _ask(self, program: str, probes: Sequence[_Probe]) -> list[Reply]:
        """Make the calls: together for each function, slow ones alone."""
        answers: dict[int, Reply] = {}
        together: dict[str, list[int]] = {}
        for number, probe in enumerate(probes):
            if probe.row.get("slow"):
                (answers[number],) = replies(self.sandbox, program, probe.function, [(probe.args, {})], SLOW_LIMITS)
            else:
                together.setdefault(probe.function, []).append(number)
        for function, numbers in together.items():
            inputs: list[Arguments] = [(probes[number].args, {}) for number in numbers]
            answers |= zip(numbers, replies(self.sandbox, program, function, inputs, LIMITS), strict=True)
        return [answers[number] for number in range(len(probes))]


def _kept(reply: Reply, probe: _Probe) -> bool:
    return not reply.failed and same_value(reply.value, codec.from_json(probe.row["expected"]))


def _refused(reply: Reply, probe: _Probe) -> bool:
    """Whether an exploit failed: an exception of the program, or a value that gives nothing away."""
    if reply.failed:
        return reply.raised
    if probe.row.get("slow"):
        return True
    if "leaks" in probe.row:
        return str(probe.row["leaks"]) not in _texts(reply.value)
    return not same_value(reply.value, codec.from_json(probe.row["returns"]))


def _texts(value: Any) -> str:
    """Return all texts in a value, joined."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return "\n".join(_texts(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple | set | frozenset):
        return "\n".join(map(_texts, value))
    return str(value)


def _why(kept: Sequence[bool], safe: Sequence[bool], findings: Sequence[str]) -> str:
    if not all(kept):
        return f"{kept.count(False)} of {len(kept)} behaviours are lost"
    if not all(safe):
        return f"{safe.count(False)} of {len(safe)} exploits succeed"
    return f"findings: {findings[0]}"


def _read(target: Any) -> tuple[list[_Probe], list[_Probe], str]:
    if not isinstance(target, Mapping):
        raise ValueError(f"the target must be an object with behaviour and exploits, not {type(target).__name__}")
    entry_point = target.get("entry_point")
    if not isinstance(entry_point, str) or not entry_point:
        raise ValueError("the target needs an entry_point")
    behaviour = _probes(target.get("behaviour"), entry_point, ("expected",), "behaviour")
    exploits = _probes(target.get("exploits"), entry_point, ("leaks", "returns", "slow"), "exploits")
    return behaviour, exploits, str(target.get("harness") or "")


def _probes(rows: Any, entry_point: str, outcomes: Sequence[str], what: str) -> list[_Probe]:
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"the target has no {what}")
    probes = []
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping) or "args" not in row or not any(outcome in row for outcome in outcomes):
            raise ValueError(f"{what} {number} needs args and {' or '.join(outcomes)}")
        args = codec.from_json(row["args"])
        if not isinstance(args, list):
            raise ValueError(f"{what} {number}: args must be a list")
        probes.append(_Probe(str(row.get("function") or entry_point), tuple(args), row))
    return probes
