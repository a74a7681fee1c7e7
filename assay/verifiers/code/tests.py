r"""What a program is tested by, as the target of a task holds it (JSON).

    {"tests": [{"input": "1 2\\n", "output": "3\\n"}],                          stdin and stdout
     "compare": "lines"}
    {"tests": [{"args": [[1, 2]], "expected": 3}], "entry_point": "add"}       function calls
    {"tests": [{"check": "assert sorted(f(3)) == [1]"}], "entry_point": "f"}    test code

Arguments and expected values are in the form of `codec.to_json`, which for None, booleans, strings, lists and small
integers is JSON itself. Optional in a test: `rule`, `tolerance` (see `compare`), `weight`, `group`. At the top:
`prompt` (source that the program may continue or build upon), `cpu_seconds`, `memory_mb`, and `language` for programs
with stdin and stdout in another language than Python (see `assay.sandboxes.languages`).

A suite without tests is an error: it would pass every program.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from assay.sandboxes.base import DEFAULT_LIMITS, Limits
from assay.sandboxes.languages import find_language
from assay.sandboxes.local.agent import codec
from assay.verifiers.code.compare import TEXT_RULES, VALUE_RULES, TextRule, ValueRule
from assay.verifiers.code.extract import bodies, definition, extract_code, parse_python


@dataclass(frozen=True, slots=True)
class StdioTest:
    """Feed `input`, compare stdout."""

    input: str
    output: str
    rule: TextRule = "lines"
    weight: float = 1.0
    group: str = ""


@dataclass(frozen=True, slots=True)
class CallTest:
    """Call the entry point, compare its result."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    expected: Any
    rule: ValueRule = "value"
    tolerance: float = 0.0
    weight: float = 1.0
    group: str = ""


@dataclass(frozen=True, slots=True)
class CheckTest:
    """Test code that calls the entry point; it runs in a sandbox of its own and sees plain values only."""

    source: str
    function: str = ""
    """A function of the test code to call with the candidate; otherwise running the source is the test."""
    weight: float = 1.0
    group: str = ""


Test: TypeAlias = StdioTest | CallTest | CheckTest


@dataclass(frozen=True, slots=True)
class Suite:
    """All tests of a task."""

    tests: tuple[Test, ...]
    entry_point: str = ""
    prompt: str = ""
    limits: Limits = DEFAULT_LIMITS
    language: str = "python"

    def extract(self, response: str) -> str | None:
        """Return the program that a response hands in, or None."""
        return extract_code(response, self.language, definition(self.entry_point))

    def assemble(self, code: str) -> str:
        """Return the program to run: the code, upon or continuing the prompt."""
        if not self.prompt:
            return code
        future, code = _split_future(code)
        if not self._defines(code):
            return future + self._continued(code)
        return f"{future}{self.prompt}\n\n{code}"

    def _continued(self, code: str) -> str:
        """Return the prompt with its last function's body put in; with anything else, the code behind the prompt."""
        for body in bodies(code, _margin(self.prompt)):
            try:
                tree = parse_python(self.prompt + body)
            except ValueError:
                continue
            if not _returns_outside(tree):
                return self.prompt + body
        return self.prompt + code

    def _defines(self, code: str) -> bool:
        try:
            tree = parse_python(code)
        except ValueError:
            return False
        wanted = self.entry_point.partition(".")[0]
        for node in tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if any(getattr(target, "id", None) == wanted for target in targets):
                return True
        return any(getattr(node, "name", None) in (wanted, "Solution") for node in tree.body)


def _split_future(code: str) -> tuple[str, str]:
    """Take `from __future__` lines out of a program: they must come before everything that is put in front of it."""
    if "__future__" not in code:
        return "", code
    try:
        tree = parse_python(code)
    except ValueError:
        return "", code
    lines, features = code.encode().split(b"\n"), ""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__" and node.end_lineno is not None:
            features += "".join(f"from __future__ import {alias.name}\n" for alias in node.names)
            before, after = lines[node.lineno - 1][: node.col_offset], lines[node.end_lineno - 1][node.end_col_offset :]
            lines[node.lineno - 1 : node.end_lineno] = [b""] * (node.end_lineno - node.lineno)
            lines.insert(node.lineno - 1, before + b"pass" + after)
    return features, b"\n".join(lines).decode()


def _margin(prompt: str) -> str:
    """Return the white space that lines of the body of the prompt's last function begin with."""
    try:
        last = parse_python(prompt).body[-1]
    except (ValueError, IndexError):
        return "    "
    body = getattr(last, "body", None)
    return " " * body[0].col_offset if body else ""


def _returns_outside(tree: ast.Module) -> bool:
    """Whether a `return` stands outside of every function, which the parser allows and the compiler does not."""
    left: list[ast.AST] = [*tree.body]
    while left:
        node = left.pop()
        if isinstance(node, ast.Return):
            return True
        if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case) and not isinstance(node, _FUNCTIONS):
            left += ast.iter_child_nodes(node)
    return False


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def read_suite(target: Any) -> Suite:
    """Return the suite of a task's target. ValueError says what is wrong with it."""
    if not isinstance(target, Mapping):
        raise ValueError(f"the target must be an object with tests, not {type(target).__name__}")
    rows = target.get("tests")
    if not isinstance(rows, list) or not rows:
        raise ValueError("the target has no tests")
    rule = target.get("compare", "lines")
    if rule not in TEXT_RULES:
        raise ValueError(f"unknown rule {rule!r} to compare output; known: {', '.join(TEXT_RULES)}")
    entry_point = str(target.get("entry_point") or "")
    tests = tuple(_read_test(row, rule, i) for i, row in enumerate(rows))
    if not entry_point and any(isinstance(test, CallTest | CheckTest) for test in tests):
        raise ValueError("tests that call a function need an entry_point")
    language = find_language(str(target.get("language", "python"))).name
    if language != "python" and not all(isinstance(test, StdioTest) for test in tests):
        raise ValueError(f"a program in {language} is tested by input and output only")
    longest = max(
        (len(test.output.encode(errors="replace")) for test in tests if isinstance(test, StdioTest)), default=0
    )
    limits = Limits(
        cpu_seconds=float(target.get("cpu_seconds", DEFAULT_LIMITS.cpu_seconds)),
        memory_bytes=int(target.get("memory_mb", DEFAULT_LIMITS.memory_bytes // 2**20)) * 2**20,
        output_bytes=max(DEFAULT_LIMITS.output_bytes, 2 * longest),
    )
    return Suite(tests, entry_point, str(target.get("prompt") or ""), limits, language)


def _read_test(row: Any, text_rule: str, index: int) -> Test:
    if not isinstance(row, Mapping):
        raise ValueError(f"test {index} must be an object")
    weight = row.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not weight > 0:
        raise ValueError(f"test {index}: the weight must be a positive number")
    shared: dict[str, Any] = {"weight": float(weight), "group": str(row.get("group", ""))}
    if "output" in row:
        return StdioTest(str(row.get("input", "")), str(row["output"]), cast("TextRule", text_rule), **shared)
    if "check" in row:
        return CheckTest(str(row["check"]), str(row.get("function", "")), **shared)
    if "args" not in row:
        raise ValueError(f"test {index} has neither output nor args nor check")
    rule = row.get("rule", "value")
    if rule not in VALUE_RULES:
        raise ValueError(f"test {index}: unknown rule {rule!r}; known: {', '.join(VALUE_RULES)}")
    if "expected" not in row and rule not in ("truthy", "falsy"):
        raise ValueError(f"test {index} has no expected value")
    try:
        args, kwargs = codec.from_json(row["args"]), codec.from_json(row.get("kwargs", {"d": []}))
        expected = codec.from_json(row.get("expected"))
    except codec.CodecError as error:
        raise ValueError(f"test {index}: {error}") from None
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise ValueError(f"test {index}: args must be a list and kwargs an object")
    return CallTest(tuple(args), kwargs, expected, rule, float(row.get("tolerance", 0.0)), **shared)


def dump_test(test: Test) -> dict[str, Any]:
    """Return a test as JSON."""
    extra: dict[str, Any] = {} if test.weight == 1.0 else {"weight": test.weight}
    if test.group:
        extra["group"] = test.group
    if isinstance(test, StdioTest):
        return {"input": test.input, "output": test.output, **extra}
    if isinstance(test, CheckTest):
        return {"check": test.source, **({"function": test.function} if test.function else {}), **extra}
    row = {"args": codec.to_json(list(test.args)), "expected": codec.to_json(test.expected), "rule": test.rule}
    if test.kwargs:
        row["kwargs"] = codec.to_json(dict(test.kwargs))
    if test.tolerance:
        row["tolerance"] = test.tolerance
    return {**row, **extra}
