"""Rows of the public code benchmarks, as tasks: read as they are published.

Understood by their fields: HumanEval and HumanEval+ (`prompt`, `test`, `entry_point`), MBPP and MBPP+ (`test_list`),
APPS and TACO (`input_output`), CodeContests (`public_tests`, `private_tests`), LiveCodeBench (`public_test_cases`), and
plain rows: `prompt` (or `question`) with `tests` as in `assay.verifiers.code.tests`, or with `inputs` and `outputs` of
stdin and stdout.
"""

from __future__ import annotations

import ast
import base64
import io
import json
import pickle
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from assay.core.seeding import split_of
from assay.core.task import Task, content_id
from assay.sandboxes.local.agent import codec
from assay.verifiers.code.lift import lift_assertion, lift_check, lift_table
from assay.verifiers.code.tests import CheckTest, Test, dump_test, read_suite

_COMPLETE = "Complete this Python function. Answer with the whole function in one ```python code block."
_FUNCTION = "Answer with one ```python code block."
_PROGRAM = "Write a Python program that reads standard input and writes standard output. " + _FUNCTION


def code_task(row: dict[str, Any]) -> Task:
    """Return the task of a row. ValueError says what is wrong, KeyError what is missing."""
    for field, read in _FORMATS.items():
        if field in row:
            fields = read(row)
            break
    else:
        raise ValueError(f"no known format of code tasks; the row has {', '.join(sorted(row))}")
    read_suite(fields["target"])  # refuses here, with file and line, what no verifier could read
    question = fields["prompt"]
    return Task(
        id=_row_id(row) or content_id(question),
        prompt=question,
        target=fields["target"],
        split=split_of(question),
        metadata={
            "solution": fields.get("solution", ""),
            "public": fields.get("public", []),
            "question": fields.get("question", question),
        },
    )


def _row_id(row: Mapping[str, Any]) -> str:
    for field in ("task_id", "id", "problem_id", "question_id", "name"):
        if isinstance(row.get(field), str | int):
            return str(row[field])
    return ""


def _human_eval(row: Mapping[str, Any]) -> dict[str, Any]:
    lifted: Sequence[Test] = lift_table(row["test"], row["entry_point"]) or lift_check(
        row["test"], row["entry_point"], prompt=row["prompt"]
    )
    tests = [dump_test(test) for test in lifted]
    return {
        "prompt": f"{_COMPLETE}\n\n```python\n{row['prompt'].strip()}\n```",
        "target": {"tests": tests, "entry_point": row["entry_point"], "prompt": row["prompt"]},
        "solution": row.get("canonical_solution", ""),
        "question": f"```python\n{row['prompt'].strip()}\n```",
    }


def _mbpp(row: Mapping[str, Any]) -> dict[str, Any]:
    setup = "\n".join(filter(None, [*row.get("test_imports", ()), row.get("test_setup_code", "")]))
    tests = [*row["test_list"], *row.get("challenge_test_list", ())]
    if not row["test_list"]:
        raise ValueError("test_list is empty")
    entry_point = _called(row["test_list"][0], row.get("code", ""))
    lifted = [dump_test(lift_assertion(test, entry_point, setup)) for test in tests]
    lifted += [dump_test(test) for test in _plus(row, entry_point)]
    text = row.get("text") or row["prompt"]
    return {
        "prompt": f"{text}\nYour function must pass this test:\n{row['test_list'][0]}\n{_FUNCTION}",
        "target": {"tests": lifted, "entry_point": entry_point},
        "solution": row.get("code", ""),
        "public": lifted[:1],
        "question": f"{text} The function is called `{entry_point}`.",
    }


def _plus(row: Mapping[str, Any], entry_point: str) -> Sequence[Test]:
    """Return the further tests of MBPP+: as data, or where they are more than that, as test code."""
    if not row.get("test"):
        return []
    return lift_table(row["test"], entry_point) or [CheckTest(row["test"])]


def _called(assertion: str, code: str) -> str:
    """Return the function that an assertion tests: the one that the solution defines, or the first one called."""
    defined = {node.name for node in ast.walk(_parse(code)) if isinstance(node, ast.FunctionDef)}
    called = [
        node.func.id
        for node in ast.walk(_parse(assertion))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    found = [name for name in called if name in defined] or called
    if not found:
        raise ValueError(f"no function call in {assertion!r}")
    return found[0]


def _parse(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise ValueError(f"not Python: {error.msg}") from None


def _apps(row: Mapping[str, Any]) -> dict[str, Any]:
    cases = _json(row["input_output"] or "null")
    if not cases:
        raise ValueError("input_output is empty: the problem has no tests")
    inputs, outputs, name = cases["inputs"], cases["outputs"], cases.get("fn_name")
    if len(inputs) != len(outputs):
        raise ValueError(f"{len(inputs)} inputs and {len(outputs)} outputs")
    if name:
        wrapped = all(isinstance(output, list) and len(output) == 1 for output in outputs)
        expected = [output[0] for output in outputs] if wrapped else outputs
        tests = [_call_test(args, value) for args, value in zip(inputs, expected, strict=True)]
        target = {"tests": tests, "entry_point": name}
    else:
        target = _stdio(zip(map(_text, inputs), map(_text, outputs), strict=True))
    solutions = _json(row.get("solutions") or "[]")
    question = row.get("question") or row["prompt"]
    starter = f"\n\n```python\n{row['starter_code'].strip()}\n```" if row.get("starter_code") else ""
    return {
        "prompt": f"{question}{starter}\n\n{_FUNCTION if name else _PROGRAM}",
        "target": {**target, "prompt": _PRELUDE},
        "solution": solutions[0] if solutions else "",
    }


def _contests(row: Mapping[str, Any]) -> dict[str, Any]:
    if row.get("input_file") or row.get("output_file"):
        raise ValueError("the program is to read or write files; only stdin and stdout are supported")
    sets = [row[name] for name in ("public_tests", "private_tests", "generated_tests") if row.get(name)]
    pairs = [list(zip(tests["input"], tests["output"], strict=True)) for tests in sets]
    return {
        "prompt": f"{row['description']}\n\n{_PROGRAM}",
        "target": {**_stdio([pair for group in pairs for pair in group]), **_limits(row)},
        "solution": _python3(row.get("solutions") or {}),
        "public": _stdio(pairs[0])["tests"] if pairs else [],
    }


def _limits(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits of a CodeContests row. Its times are for compiled languages: Python gets four times as long."""
    limits: dict[str, Any] = {}
    seconds = row.get("time_limit")
    if isinstance(seconds, Mapping):
        limits["cpu_seconds"] = (
            4 * (float(seconds.get("seconds") or 0) + float(seconds.get("nanos") or 0) / 1e9) or 10.0
        )
    if row.get("memory_limit_bytes"):
        limits["memory_mb"] = max(256, int(row["memory_limit_bytes"]) // 2**20)
    return limits


def _python3(solutions: Mapping[str, Any]) -> str:
    """Return the first solution in Python 3 (language 3) of a CodeContests row."""
    pairs = zip(solutions.get("language", ()), solutions.get("solution", ()), strict=False)
    return next((code for language, code in pairs if language in (3, "PYTHON3")), "")


_LIBRARY = (
    "bisect", "collections", "copy", "datetime", "functools", "heapq", "itertools", "math", "operator", "random", "re",
    "string", "typing",
)  # fmt: skip
_PRELUDE = "".join(
    [f"from {module} import *\n" for module in (*_LIBRARY, "builtins")]
    + [f"import {module}\n" for module in (*_LIBRARY, "sys")]
    + ["sys.setrecursionlimit(50_000)\n"]
)
"""What the graders of APPS, TACO and LiveCodeBench put in front of a program; their starter code counts on `List`."""


def _live_code_bench(row: Mapping[str, Any]) -> dict[str, Any]:
    public = _json(row["public_test_cases"])
    cases = [*public, *_private_cases(row.get("private_test_cases") or "[]")]
    if any(case.get("testtype") == "functional" for case in cases):
        name = _json(row.get("metadata") or "{}").get("func_name")
        if not name:
            raise ValueError("functional tests without metadata.func_name")
        tests = [
            _call_test([json.loads(line) for line in case["input"].splitlines()], json.loads(case["output"]))
            for case in cases
        ]
        target: dict[str, Any] = {"tests": tests, "entry_point": name}
    else:
        target = _stdio((case["input"], case["output"]) for case in cases)
    starter = f"\n\n```python\n{row['starter_code'].strip()}\n```" if row.get("starter_code") else ""
    return {
        "prompt": f"{row['question_content']}{starter}\n\n{_FUNCTION if starter else _PROGRAM}",
        "target": {**target, "prompt": _PRELUDE},
        "public": target["tests"][: len(public)],
    }


_MAX_UNPACKED = 256 * 2**20


class _TextUnpickler(pickle.Unpickler):
    """Restores texts: nothing in it can name a class or a function, so nothing can run."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} in a text")


def _private_cases(packed: Any) -> list[dict[str, Any]]:
    """Return hidden test cases: JSON, or as published a text, pickled, compressed and coded as base64."""
    if not isinstance(packed, str):
        return list(packed)
    try:
        cases = json.loads(packed)
    except ValueError:
        try:
            inflate = zlib.decompressobj()
            data = inflate.decompress(base64.b64decode(packed, validate=True), _MAX_UNPACKED)
            if not inflate.eof:
                raise ValueError("cut short, or too large")
            cases = json.loads(_TextUnpickler(io.BytesIO(data)).load())
        except (ValueError, TypeError, EOFError, zlib.error, pickle.UnpicklingError) as error:
            raise ValueError(f"private_test_cases cannot be unpacked: {error}") from None
    if not isinstance(cases, list):
        raise ValueError("private_test_cases are no list")
    return cases


def _paired(row: Mapping[str, Any]) -> dict[str, Any]:
    if len(row["inputs"]) != len(row["outputs"]):
        raise ValueError(f"{len(row['inputs'])} inputs and {len(row['outputs'])} outputs")
    pairs = zip(map(_text, row["inputs"]), map(_text, row["outputs"]), strict=True)
    return _plain({**_stdio(pairs), **row})


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    known = ("tests", "entry_point", "compare", "cpu_seconds", "memory_mb", "language")
    return {
        "prompt": row.get("prompt") or row["question"],
        "target": {key: row[key] for key in known if key in row},
        "solution": row.get("solution", ""),
        "public": row.get("public", []),
    }


def _stdio(pairs: Any) -> dict[str, Any]:
    """Return the tests; where real numbers are to be printed, their last digits and how they are written are free."""
    tests = [{"input": given, "output": expected} for given, expected in pairs]
    if any(_REAL.search(str(test["output"])) for test in tests):
        return {"tests": tests, "compare": "floats"}
    return {"tests": tests}


_REAL = re.compile(r"(?<!\S)[-+]?\d+\.\d+(?:[eE][-+]?\d+)?(?!\S)")


def _call_test(args: Any, expected: Any) -> dict[str, Any]:
    if not isinstance(args, list):
        raise ValueError("the arguments of a call must be a list")
    return {"args": codec.to_json(args), "expected": codec.to_json(expected)}


def _text(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


_FORMATS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "test_list": _mbpp,
    "input_output": _apps,
    "public_test_cases": _live_code_bench,
    "public_tests": _contests,
    "test": _human_eval,
    "tests": _plain,
    "inputs": _paired,
}
"""The field that gives a format away -> its reader; the first that is there counts."""
