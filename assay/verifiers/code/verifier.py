"""The verifier `code`: runs the program of a response against the tests of its task.

Invariants:

* Expected values and the comparison never enter a process or sandbox that runs the candidate. What the candidate can
  write (output, a result, an exit code) is evidence to be compared, never a verdict.
* The denominator is the number of all tests, always. A test that could not be run for a fault of the sandbox makes
  the whole verdict a missing one, unless the program has failed already under `all`.
* A program that hit a limit has failed that test, whatever it had printed by then.
* The same program for the same task is judged once: a group full of copies, as policies late in training write them,
  costs one of them. Verdicts that a loaded machine could have changed (elapsed time, faults) are not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from assay.core.errors import ConfigError
from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, right, wrong
from assay.sandboxes import SandboxFault
from assay.sandboxes.languages import MissingToolchain
from assay.sandboxes.local.sandbox import default_sandbox
from assay.verifiers.base import Evidence, Isolation, Verifier
from assay.verifiers.code.grade import GradingSandbox, TestOutcome, grade
from assay.verifiers.code.memory import SHARED, VerdictMemory
from assay.verifiers.code.tests import Suite, Test, read_suite

Credit = Literal["all", "fraction", "subtasks"]


class CodeVerifier(Verifier):
    """Runs the tests of a task.

    Args:
        credit: `all`: 1 if every test passes, else 0, and the first failure ends the run. `fraction`: the weight of the
            passed tests. `subtasks`: the weight of the groups of tests that pass as a whole.
        sandbox: Where to run; by default the local sandbox that this process shares.
    """

    name = "code"
    isolation: Isolation = "sandbox"

    def __init__(self, *, credit: Credit = "all", sandbox: GradingSandbox | None = None) -> None:
        if credit not in get_args(Credit):
            raise ConfigError(f"unknown credit {credit!r}; use one of {', '.join(get_args(Credit))}")
        self.credit = credit
        self._sandbox = sandbox
        self._memory = SHARED if sandbox is None else VerdictMemory()

    @property
    def sandbox(self) -> GradingSandbox:
        """The sandbox that programs run in."""
        return self._sandbox if self._sandbox is not None else default_sandbox()

    def check_target(self, task: Task) -> str | None:
        """Return why the tests cannot be read, or None."""
        try:
            read_suite(task.target)
        except (ValueError, ConfigError) as error:
            return str(error)
        return None

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Extract, run, compare."""
        try:
            suite = read_suite(task.target)
        except (ValueError, ConfigError) as error:
            return no_verdict(f"tests: {error}", status="unparsable")
        code = suite.extract(evidence.text)
        if code is None:
            return wrong("no complete code block", status="no_answer")
        return self._memory.recall((self.credit, task.id, code), task.target, lambda: self.judge(code, suite))

    def judge(self, code: str, suite: Suite) -> Verdict:
        """Return the verdict on a program."""
        outcomes: list[TestOutcome] = []
        try:
            for outcome in grade(self.sandbox, code, suite):
                outcomes.append(outcome)
                if self.credit == "all" and not outcome.passed:
                    break
        except (SandboxFault, MissingToolchain) as fault:
            return no_verdict(f"test {len(outcomes) + 1}: {fault}", extracted=code)
        return self._verdict(code, suite, outcomes)

    def _verdict(self, code: str, suite: Suite, outcomes: Sequence[TestOutcome]) -> Verdict:
        passed = sum(outcome.passed for outcome in outcomes)
        total = len(suite.tests)
        score = _score(self.credit, suite.tests, outcomes)
        details = {
            "tests": total,
            "statuses": [outcome.status for outcome in outcomes],
            "sandbox_seconds": sum(outcome.seconds for outcome in outcomes),
        }
        tier = next((o.result.tier.value for o in outcomes if o.result is not None), None)
        if tier is not None:
            details["tier"] = tier
        if passed == total:
            return right(score, extracted=code, parts={"outcome": 1.0}, details=details)
        number, first = next((i, o) for i, o in enumerate(outcomes, 1) if not o.passed)
        reason = f"test {number} of {total}: {first.status}" + (f" ({first.reason})" if first.reason else "")
        parts: dict[str, float | None] = {"outcome": 0.0}
        if self.credit != "all":
            parts["tests"] = score
        return wrong(reason, score=score, extracted=code, parts=parts, details=details)


def _score(credit: Credit, tests: Sequence[Test], outcomes: Sequence[TestOutcome]) -> float:
    """Return the credit; tests that were not run count as failed."""
    results = [*(outcome.passed for outcome in outcomes), *[False] * (len(tests) - len(outcomes))]
    if credit == "all":
        return float(all(results))
    total = sum(test.weight for test in tests)
    if credit == "subtasks":
        broken = {test.group for test, passed in zip(tests, results, strict=True) if not passed}
        return sum(test.weight for test in tests if test.group not in broken) / total
    return sum(test.weight for test, passed in zip(tests, results, strict=True) if passed) / total
