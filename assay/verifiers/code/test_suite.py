"""The verifier `test_suite`: how good are the tests that somebody wrote for a function?

    {"reference": "def f(xs): ...", "entry_point": "f", "inputs": [{"args": [[1, 2]]}, ...]}

Mutants of the reference are certified by the inputs, which the author of the tests does not see: each mutant differs
from the reference on one of them. The score is the share of mutants that the tests kill, times `1 - w + w * quality`
for the static quality of the suite (`smells`) and its weight w.

Invariants:

* A suite that fails the reference scores 0: false alarms are worse than no tests.
* A mutant counts as killed only if it returned something other than the reference on a call that the suite made. A
  suite that fails without having seen a difference, or fails the reference in one of several runs at random places,
  decides by chance and scores 0.
* Mutants that no input tells from the reference are not used, so a score of 1 can be reached.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.sandboxes import SandboxFault
from assay.sandboxes.local.agent import codec
from assay.sandboxes.local.sandbox import default_sandbox
from assay.verifiers.base import Evidence, Isolation, Verifier
from assay.verifiers.code.extract import extract_code, parse_python
from assay.verifiers.code.grade import GradingSandbox
from assay.verifiers.code.killable import Arguments, KilledMutant, killable_mutants, replies
from assay.verifiers.code.smells import Smells, smells
from assay.verifiers.code.suite_run import LIMITS, Run, TestSuite

_REFERENCE_RUNS = 3
_KEPT = 256


class TestSuiteVerifier(Verifier):
    """Judges test suites by mutants.

    Args:
        mutants: How many mutants to use at most.
        smell_weight: Share of the score that static quality decides, in [0, 1].
        sandbox: Where to run; by default the local sandbox that this process shares.
    """

    __test__ = False  # not a test class of pytest's
    name = "test_suite"
    isolation: Isolation = "sandbox"

    def __init__(self, *, mutants: int = 12, smell_weight: float = 0.1, sandbox: GradingSandbox | None = None) -> None:
        if mutants < 1 or not 0 <= smell_weight <= 1:
            raise ConfigError("test_suite needs mutants >= 1 and smell_weight in [0, 1]")
        self.mutants, self.smell_weight = mutants, smell_weight
        self._sandbox = sandbox
        self._known: OrderedDict[str, list[KilledMutant]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def sandbox(self) -> GradingSandbox:
        """The sandbox that programs run in."""
        return self._sandbox if self._sandbox is not None else default_sandbox()

    def check_target(self, task: Task) -> str | None:
        """Return why the reference or the inputs cannot be read, or None."""
        try:
            read_exam(task.target)
        except ValueError as error:
            return str(error)
        return None

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Extract the suite, run it on reference and mutants."""
        try:
            reference, function, inputs = read_exam(task.target)
        except ValueError as error:
            return no_verdict(f"target: {error}", status="unparsable")
        code = extract_code(evidence.text)
        if code is None:
            return wrong("no complete code block", status="no_answer")
        found = smells(code, function)
        parts: dict[str, float | None] = {"mutants": 0.0, "reference": 0.0, "quality": found.quality, **found.parts()}
        try:
            suite = TestSuite(code, function)
        except ValueError as error:
            return wrong(str(error), extracted=code, parts=parts)
        try:
            exam = self._exam(reference, function, inputs)
        except ValueError as error:
            return no_verdict(f"target: {error}", status="unparsable")
        except SandboxFault as fault:
            return no_verdict(str(fault))
        if not exam:
            return no_verdict("target: no input tells any mutant from the reference", status="unparsable")
        try:
            return self._examine(suite, reference, exam, found, parts)
        except SandboxFault as fault:
            return no_verdict(str(fault), extracted=code)

    def _examine(
        self, suite: TestSuite, reference: str, exam: Sequence[KilledMutant], found: Smells, parts: dict[str, Any]
    ) -> Verdict:
        programs: list[KilledMutant | None] = list(exam)
        repeats = 1 if suite.calls is not None else _REFERENCE_RUNS
        for _ in range(repeats - 1):
            programs.insert(secrets.randbelow(len(programs) + 1), None)
        base = suite.run(self.sandbox, reference)
        if not base.passed:
            return wrong(f"the tests fail the reference: {base.reason}", extracted=suite.source, parts=parts)
        killed = 0
        missed = ""
        for mutant in programs:
            run = suite.run(self.sandbox, mutant.variant.source if mutant is not None else reference)
            if run.passed:
                missed = missed or (mutant.variant.change if mutant is not None else "")
            elif mutant is None or not self._noticed(suite, reference, base, run):
                reason = "the tests fail where they have seen nothing but what the reference returns"
                return wrong(reason, extracted=suite.source, status="tampered", parts=parts)
            else:
                killed += 1
        share = killed / len(exam)
        parts |= {"mutants": share, "reference": 1.0}
        score = share * (1 - self.smell_weight + self.smell_weight * found.quality)
        details = {"mutants": len(exam), "killed": killed}
        if killed == len(exam):
            return right(score, extracted=suite.source, parts=parts, details=details)
        reason = f"{killed} of {len(exam)} mutants killed; alive: {missed}"
        return wrong(reason, score=score, extracted=suite.source, parts=parts, details=details)

    def _noticed(self, suite: TestSuite, reference: str, base: Run, run: Run) -> bool:
        """Whether the suite saw the program return something other than the reference does."""
        if suite.calls is not None:
            return True  # data: the reference passed the very assertion that failed
        known = dict(base.transcript)
        asked = {call: codec.from_json(json.loads(call)) for call in run.transcript if call not in known}
        if asked:
            inputs = [(tuple(call["args"]), call["kwargs"]) for call in asked.values()]
            for call, reply in zip(
                asked, replies(self.sandbox, reference, suite.function, inputs, LIMITS), strict=True
            ):
                known[call] = json.dumps(
                    {"raised": reply.failed} if reply.failed else {"value": codec.to_json(reply.value)}
                )
        return any(known[call] != reply for call, reply in run.transcript.items()) or run.cut_short

    def _exam(self, reference: str, function: str, inputs: Sequence[Arguments]) -> list[KilledMutant]:
        key = json.dumps([reference, function, codec.to_json([[list(a), k] for a, k in inputs])])
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = killable_mutants(self.sandbox, reference, function, inputs, most=self.mutants)
            with self._lock:
                self._known[key] = known
                if len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        return known


def read_exam(target: Any) -> tuple[str, str, list[Arguments]]:
    """Return reference, entry point and inputs of a target. ValueError says what is wrong with it."""
    if not isinstance(target, Mapping):
        raise ValueError(f"the target must be an object with a reference, not {type(target).__name__}")
    reference, function, rows = target.get("reference"), target.get("entry_point"), target.get("inputs")
    if not isinstance(reference, str) or not isinstance(function, str) or not function:
        raise ValueError("the target needs a reference program and an entry_point")
    parse_python(reference)
    if not isinstance(rows, list) or not rows:
        raise ValueError("the target has no inputs")
    inputs: list[Arguments] = []
    for row in rows:
        args, kwargs = codec.from_json(row["args"]), codec.from_json(row.get("kwargs", {"d": []}))
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise ValueError("args must be a list and kwargs an object")
        inputs.append((tuple(args), kwargs))
    return reference, function, inputs
