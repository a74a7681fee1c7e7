"""Run a test suite that somebody wrote against a program: does it pass?

Suites that are plain assertions about calls become data, and the calls are made together. All others run in a sandbox
of their own and see the program through a proxy: nothing but the values that it returns. A suite cannot tell a mutant
from the reference by anything else, and `Run.transcript` says what it saw.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.sandboxes import Limits
from assay.sandboxes.local.agent import codec
from assay.verifiers.code.compare import same_value
from assay.verifiers.code.extract import parse_python
from assay.verifiers.code.grade import GradingSandbox
from assay.verifiers.code.killable import replies
from assay.verifiers.code.lift import lift_suite
from assay.verifiers.code.smells import is_assertion
from assay.verifiers.code.tester import run_check
from assay.verifiers.code.tests import CallTest, CheckTest

LIMITS = Limits(cpu_seconds=2.0)
MODULES = frozenset(
    ("math", "cmath", "itertools", "functools", "operator", "collections", "string", "re", "typing", "decimal",
     "fractions", "statistics", "heapq", "bisect", "copy", "json", "datetime", "unittest", "pytest", "dataclasses",
     "enum", "textwrap", "__future__")
)  # fmt: skip
"""What a suite may import: nothing that knows the time, the process or chance, so that it says the same every time."""
_FORBIDDEN = frozenset(
    {"eval", "exec", "compile", "open", "__import__", "id", "hash", "globals", "locals", "vars", "input"}
)

_RUNNER = """

def _run_all_tests(candidate):
    import unittest
    space = dict(globals())
    for name, value in space.items():
        if name.startswith("test") and callable(value) and not isinstance(value, type):
            value()
        elif isinstance(value, type) and issubclass(value, unittest.TestCase) and value is not unittest.TestCase:
            result = unittest.TestResult()
            unittest.defaultTestLoader.loadTestsFromTestCase(value).run(result)
            if not result.wasSuccessful():
                raise AssertionError([text for _, text in result.failures + result.errors][:1])
        elif isinstance(value, type) and name.startswith("Test"):
            for method in [m for m in vars(value) if m.startswith("test")]:
                getattr(value(), method)()
"""


@dataclass(frozen=True, slots=True)
class Run:
    """How one program did under a suite."""

    passed: bool
    reason: str = ""
    transcript: Mapping[str, str] = field(default_factory=dict)
    """Call -> reply, both as JSON; empty for suites that are data."""
    cut_short: bool = False
    """Whether a call was not answered: the program hung or died in it."""


class TestSuite:
    """A test suite for one function."""

    __test__ = False  # not a test class of pytest's

    def __init__(self, source: str, function: str) -> None:
        """ValueError when it is no Python, has no assertion, or may do what makes its verdict depend on chance."""
        self.source, self.function = source, function
        tree = parse_python(source)
        _refuse(tree)
        if not any(is_assertion(node) for node in ast.walk(tree)):
            raise ValueError("the suite asserts nothing")
        self.calls: list[CallTest] | None = lift_suite(source, function)
        """The tests as data, None when the suite has to be run."""

    def run(self, sandbox: GradingSandbox, program: str) -> Run:
        """Run it against a program. Raises `SandboxFault`."""
        if self.calls is not None:
            return self._compare(sandbox, program, self.calls)
        transcript: dict[str, str] = {}

        def witness(call: Any, reply: dict[str, Any]) -> None:
            said = {"value": reply["value"]} if "value" in reply else {"raised": reply.get("raised")}
            transcript[json.dumps(call, sort_keys=True)] = json.dumps(said)

        check = CheckTest(self.source + _RUNNER, "_run_all_tests")
        outcome = run_check(sandbox, program, self.function, check, LIMITS, witness)
        return Run(outcome.passed, outcome.reason, transcript, outcome.cut_short)

    def _compare(self, sandbox: GradingSandbox, program: str, tests: list[CallTest]) -> Run:
        if not tests:
            return Run(True)
        try:
            found = replies(sandbox, program, self.function, [(t.args, dict(t.kwargs)) for t in tests], LIMITS)
        except codec.CodecError as error:
            return Run(False, str(error))
        for number, (test, reply) in enumerate(zip(tests, found, strict=True), 1):
            if reply.failed:
                return Run(False, f"assertion {number}: {reply.failed}")
            if not same_value(reply.value, test.expected, test.rule, test.tolerance):
                return Run(False, f"assertion {number}: the value differs")
        return Run(True)


def _refuse(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "."]
        for name in names:
            if name.partition(".")[0] not in MODULES:
                raise ValueError(f"tests may not import {name!r}")
        if isinstance(node, ast.Name) and node.id in _FORBIDDEN:
            raise ValueError(f"tests may not use {node.id!r}")
        if isinstance(node, ast.Attribute) and node.attr.startswith("__"):
            raise ValueError(f"tests may not use {node.attr!r}")
