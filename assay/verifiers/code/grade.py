"""Run a program against its tests; comparing happens here, outside of every sandbox.

What a test says is what a job of its own says: a fresh process, the limits for itself. Calls of a function are first
made together in one job, which is many times cheaper, and only what a job of its own would say as well is taken from
there: values that are right, and whatever the first call led to.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from assay.sandboxes import Call, Job, JobResult, Sandbox, SandboxFault
from assay.sandboxes.languages import toolchains
from assay.sandboxes.local.agent import codec
from assay.verifiers.code.compare import same_text, same_value
from assay.verifiers.code.tester import TalkingSandbox, run_check
from assay.verifiers.code.tests import CallTest, CheckTest, StdioTest, Suite, Test


class GradingSandbox(Sandbox, TalkingSandbox, Protocol):
    """What grading needs."""


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """How a program did in one test."""

    __test__ = False  # not a test class of pytest's

    passed: bool
    status: str
    """`passed`, `wrong`, a status of the sandbox, or what is wrong with the result."""
    reason: str = ""
    result: JobResult | None = None
    seconds: float = 0.0
    """Processor time of the jobs that it took to know this; of test code, elapsed time."""


def grade(sandbox: GradingSandbox, code: str, suite: Suite) -> Iterator[TestOutcome]:
    """Yield the outcome of each test in order. Raises `SandboxFault` when a test could not be run."""
    program = suite.assemble(code)
    known, spent = _together(sandbox, program, suite)
    for number, test in enumerate(suite.tests):
        outcome = known.get(number) or run_test(sandbox, program, suite, test)
        yield outcome if number else replace(outcome, seconds=outcome.seconds + spent)


def _together(sandbox: GradingSandbox, program: str, suite: Suite) -> tuple[dict[int, TestOutcome], float]:
    """Make all calls of a suite in one job; return what is certain, by number of the test, and the time it took."""
    calls = [test for test in suite.tests if isinstance(test, CallTest)]
    if len(calls) < 2 or len(calls) < len(suite.tests):
        return {}, 0.0
    more = tuple((test.args, test.kwargs) for test in calls[1:])
    job = Job(
        source=program, call=Call(suite.entry_point, calls[0].args, calls[0].kwargs, more=more), limits=suite.limits
    )
    try:
        result = sandbox.run(job)
    except codec.CodecError:  # together the arguments are too long
        return {}, 0.0
    if result.fault:
        raise SandboxFault(result.reason)
    if not result.ok and not result.result:  # it did not come beyond the first call
        return {0: TestOutcome(False, result.status, result.reason, result)}, result.cpu_seconds
    replies = result.result.split(b"\n")
    if not result.ok or len(replies) not in (1, len(calls)):
        return {}, result.cpu_seconds
    certain = {}
    for number, (test, reply) in enumerate(zip(calls, replies, strict=False)):
        outcome = _value(test, result, reply)
        if number == 0:
            outcome = replace(outcome, result=replace(result, result=reply))
        if outcome.passed or number == 0:
            certain[number] = outcome
    return certain, result.cpu_seconds


def run_test(sandbox: GradingSandbox, program: str, suite: Suite, test: Test) -> TestOutcome:
    """Run one test. Raises `SandboxFault` when the sandbox failed, so that nothing is known.

    A program in another language is compiled for its first test, and taken from the build cache for the others.
    """
    outcome: TestOutcome
    if isinstance(test, CheckTest):
        started = time.perf_counter()
        checked = run_check(sandbox, program, suite.entry_point, test, suite.limits)
        seconds = time.perf_counter() - started
        return TestOutcome(checked.passed, "passed" if checked.passed else "wrong", checked.reason, seconds=seconds)
    if isinstance(test, StdioTest):
        build = toolchains(sandbox).build(suite.language, program)
        if not build.ok:
            return TestOutcome(False, "compile_error", (build.message.splitlines() or [""])[0], build.result)
        job = build.job(stdin=test.input.encode("utf-8", "surrogatepass"), limits=suite.limits)
    else:
        job = Job(source=program, call=Call(suite.entry_point, test.args, test.kwargs), limits=suite.limits)
    result = sandbox.run(job)
    if result.fault:
        raise SandboxFault(result.reason)
    if not result.ok:
        outcome = TestOutcome(False, result.status, result.reason, result)
    else:
        outcome = _stdio(test, result) if isinstance(test, StdioTest) else _value(test, result, result.result)
    return replace(outcome, seconds=result.cpu_seconds)


def _stdio(test: StdioTest, result: JobResult) -> TestOutcome:
    if same_text(result.stdout, test.output, test.rule):
        return TestOutcome(True, "passed", result=result)
    return TestOutcome(False, "wrong", "the output differs", result)


def _value(test: CallTest, result: JobResult, sent: bytes) -> TestOutcome:
    """Compare a returned value. The bytes are whatever the program chose to send: decode strictly, then compare."""
    reply: Any = None
    try:
        reply = json.loads(sent)
        if not isinstance(reply, dict) or set(reply) != {"value"}:
            return TestOutcome(False, "no value", _why(reply), result)
        value = codec.from_json(reply["value"])
    except (ValueError, RecursionError):
        return TestOutcome(False, "no value", "the program returned nothing that can be read", result)
    try:
        passed = same_value(value, test.expected, test.rule, test.tolerance)
    except (ArithmeticError, RecursionError):
        passed = False
    return TestOutcome(passed, "passed" if passed else "wrong", "" if passed else "the value differs", result)


def _why(reply: Any) -> str:
    if isinstance(reply, dict) and len(reply) == 1:
        ((kind, text),) = reply.items()
        if kind in ("raised", "missing", "unencodable"):
            return f"{kind}: {str(text)[:150]}"
    return "the program ended without returning"
