"""Rows of public benchmarks in the layouts in which they are published: right programs pass, wrong ones fail."""

import base64
import json
import os
import pickle
import zlib
from pathlib import Path

import pytest

from assay.core.errors import DataError
from assay.envs.code.code import CodeEnv
from assay.envs.code.rows import code_task

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")

PLUS = """import numpy as np
from math import inf

def is_floats(x):
    return isinstance(x, float)

def assertion(out, exp, atol):
    assert np.allclose(out, exp, rtol=1e-07, atol=atol) if is_floats(exp) else out == exp

{start}inputs = [[3], [4], [-1]]
{margin}results = [1.5, 2.0, -0.5]
{margin}for i, (inp, exp) in enumerate(zip(inputs, results)):
{margin}    assertion({function}(*inp), exp, {atol})
"""


def packed(value):
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


DOUBLE, FOUR = "print(2 * int(input()))", "print(4)"
ROWS = {
    "humaneval+": (
        {
            "task_id": "H+/0",
            "prompt": 'def half(x):\n    """Half of it."""\n',
            "entry_point": "half",
            "canonical_solution": "    return x / 2\n",
            "test": PLUS.format(start="def check(candidate):\n    ", function="candidate", margin="    ", atol="1e-06"),
        },
        "    return x * 0.5",
        "    return x // 2",
    ),
    "mbpp+": (
        {
            "task_id": 3,
            "prompt": "Write half.",
            "code": "def half(x): return x / 2",
            "test_imports": [],
            "test_list": ["assert half(2) == 1"],
            "test": PLUS.format(start="", function="half", margin="", atol="0"),
        },
        "def half(x): return x / 2",
        "def half(x): return x // 2",
    ),
    "mbpp with set-up and challenges": (
        {
            "task_id": 4,
            "text": "Root.",
            "code": "import math\ndef root(x): return math.isqrt(x)",
            "test_setup_code": "limit = 9",
            "test_list": ["assert root(limit) == 3"],
            "challenge_test_list": ["assert root(16) == 4"],
        },
        "def root(x): return int(x ** 0.5)",
        "def root(x): return 3",
    ),
    "taco": (
        {
            "question": "Add all.",
            "starter_code": "",
            "solutions": json.dumps(["print(sum(map(int, input().split())))"]),
            "input_output": json.dumps({"inputs": [["1 2"], "3 4\n"], "outputs": [["3"], "7\n"]}),
            "difficulty": "EASY",
        },
        "print(sum(map(int, input().split())))",
        "print(3)",
    ),
    "codecontests with limits": (
        {
            "name": "d",
            "description": "Double.",
            "public_tests": {"input": ["1\n"], "output": ["2\n"]},
            "private_tests": {"input": [], "output": []},
            "generated_tests": {"input": ["3\n"], "output": ["6\n"]},
            "solutions": {"language": [2, 3], "solution": ["int main() {}", DOUBLE]},
            "time_limit": {"seconds": 1, "nanos": 500000000},
            "memory_limit_bytes": 256 * 2**20,
            "input_file": "",
            "output_file": "",
        },
        DOUBLE,
        "print(2)",
    ),
    "livecodebench as published": (
        {
            "question_id": "m",
            "question_content": "Double.",
            "starter_code": "",
            "metadata": "{}",
            "public_test_cases": json.dumps([{"input": "2\n", "output": "4\n", "testtype": "stdin"}]),
            "private_test_cases": packed(json.dumps([{"input": "5\n", "output": "10\n", "testtype": "stdin"}])),
        },
        DOUBLE,
        FOUR,
    ),
    "livecodebench with starter code": (
        {
            "question_id": "s",
            "question_content": "Count.",
            "starter_code": "class Solution:\n    def most(self, numbers: List[int]) -> int:\n        ",
            "metadata": json.dumps({"func_name": "most"}),
            "public_test_cases": json.dumps([{"input": "[1, 1, 2]", "output": "2", "testtype": "functional"}]),
            "private_test_cases": json.dumps([{"input": "[5]", "output": "1", "testtype": "functional"}]),
        },
        "from __future__ import annotations\nclass Solution:\n    def most(self, numbers: List[int]) -> int:\n"
        "        return pow(max(Counter(numbers).values()), 1, 10)",
        "class Solution:\n    def most(self, numbers: List[int]) -> int:\n        return 2",
    ),
    "real numbers": (
        {"question": "Half.", "inputs": ["5\n", "4\n"], "outputs": ["2.5\n", "2.0\n"]},
        "print(f'{int(input()) / 2:.7f}')",
        "print(f'{int(input()) / 2:.0f}')",
    ),
    "inputs and outputs": ({"question": "Double.", "inputs": ["2\n", "5\n"], "outputs": ["4\n", "10\n"]}, DOUBLE, FOUR),
}


@pytest.mark.parametrize("name", ROWS)
def test_formats(tmp_path, name):
    row, good, bad = ROWS[name]
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n")
    env = CodeEnv(data=path)
    for code, reward in ((good, 1.0), (bad, 0.0)):
        env.reset(options={"task": 0})
        _, got, _, _, info = env.step(f"```python\n{code}\n```")
        assert got == reward, info["verdict"]


class Command:
    def __reduce__(self):
        return os.mkdir, ("/tmp/assay-was-unpickled",)


CASES = {"question_content": "p", "public_test_cases": "[]"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**CASES, "private_test_cases": packed(Command())}, "mkdir in a text"),
        ({**CASES, "private_test_cases": packed("no JSON")}, "cannot be unpacked"),
        ({**CASES, "private_test_cases": packed(3)}, "cannot be unpacked"),
        ({**CASES, "private_test_cases": packed("[]")[:-8]}, "cannot be unpacked"),
        ({"description": "p", "public_tests": {"input": [], "output": []}, "input_file": "a.in"}, "only stdin"),
        ({"question": "p", "input_output": ""}, "no tests"),
        ({"question": "p", "inputs": ["1"], "outputs": []}, "1 inputs and 0 outputs"),
    ],
)
def test_rows_that_cannot_be_used_are_refused_with_their_line(tmp_path, row, message):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match=rf"rows.jsonl:1: .*{message}"):
        CodeEnv(data=path)
    assert not Path("/tmp/assay-was-unpickled").exists()


def test_the_tables_of_plus_benchmarks_become_data():
    for name in ("humaneval+", "mbpp+"):
        assert all("args" in test for test in code_task(ROWS[name][0]).target["tests"]), name
    assert {test["rule"] for test in code_task(ROWS["humaneval+"][0]).target["tests"]} == {"close"}
    row = ROWS["mbpp+"][0]
    changed = {**row, "test": row["test"].replace("half(*inp)", "set([half(*inp)])")}
    assert "check" in code_task(changed).target["tests"][-1]


def test_contests_bring_limits_and_a_solution():
    task = code_task(ROWS["codecontests with limits"][0])
    assert (task.target["cpu_seconds"], task.target["memory_mb"]) == (6.0, 256)
    assert task.metadata["solution"] == DOUBLE
