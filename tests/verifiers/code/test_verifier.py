"""Right programs pass, wrong ones fail, and no trick turns one into the other."""

# ruff: noqa: E501

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assay.audits.code.hacks import function_hacks, stdio_hacks
from assay.core.task import Task
from assay.sandboxes import JobResult, LocalSandbox
from assay.verifiers import Evidence, make_verifier, run_verifier
from assay.verifiers.code.lift import lift_check
from assay.verifiers.code.tests import CallTest, CheckTest, dump_test, read_suite
from assay.verifiers.code.verifier import CodeVerifier
from tests.verifiers.code import honest
from tests.verifiers.code.hacks import HACKS, STDIO_HACKS

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")

SUM = {"tests": [{"input": "1 2\n", "output": "3\n"}, {"input": "5 6\n", "output": "11\n"}], "cpu_seconds": 1}
ADD = {"tests": [{"args": [1, 2], "expected": 3}, {"args": [5, 6], "expected": 11}], "entry_point": "add"}
CHECK = {"tests": [{"check": "for i in range(3):\n    assert add(i, 1) == i + 1"}], "entry_point": "add"}


@pytest.fixture(scope="module")
def sandbox():
    with LocalSandbox(1) as sandbox:
        yield sandbox


def judge(sandbox, code, target, **options):
    verifier = CodeVerifier(sandbox=sandbox, **options)
    return run_verifier(verifier, Task("t", "p", target), Evidence(f"Here:\n```python\n{code}\n```\n"))


@pytest.mark.parametrize("target", [ADD, CHECK])
def test_functions(sandbox, target):
    assert judge(sandbox, "def add(a, b): return a + b", target).correct
    assert judge(sandbox, "class Solution:\n    def add(self, a, b): return a + b", target).correct
    assert judge(sandbox, "add = lambda a, b: a + b\nif __name__ == '__main__': print(1)", target).correct
    for wrong in ("def add(a, b): return a * b", "def other(): pass", "def add(a, b): 1 / 0", "add = 3", "def add(:"):
        verdict = judge(sandbox, wrong, target)
        assert (verdict.score, verdict.correct) == (0.0, False), wrong


def human_eval(prompt, entry_point, *checks):
    source = "def check(candidate):\n" + "".join(f"    {check}\n" for check in checks)
    tests = lift_check(source, entry_point, prompt=prompt)
    return {"tests": [dump_test(test) for test in tests], "entry_point": entry_point, "prompt": prompt}


HALF = human_eval(honest.PROMPT, "half", "assert candidate(3) == 1.5", "assert candidate(4) == 2")
ZERO = human_eval(honest.HELPED, "zero", "for c in ([2, 4], [3, -1]):", "    assert abs(poly(c, candidate(c))) < 1e-4")


IN_PLACE = human_eval(
    "",
    "turn",
    "rows = [[1, 2], [3, 4], [5]]",
    "first, marks, names = rows[0], {1, 2}, {'a': [0]}",
    "assert candidate(rows, marks=marks, names=names) is None",
    "assert rows == [[2, 1], [4, 3]] and rows[0] is first",
    "assert marks == {2, 7} and names == {'a': [0, 1], 'b': []}",
)
TURN = """
def turn(rows, marks, names):
    rows.pop()
    for row in rows:
        row.reverse()
    marks.discard(1)
    marks.add(7)
    names['a'].append(1)
    names['b'] = []
"""
SORTED = human_eval("", "order", "xs = [2, 1]", "assert candidate(xs) == sorted(xs)", "assert candidate((1,)) == [1]")


def test_functions_that_work_in_place(sandbox):
    assert judge(sandbox, TURN, IN_PLACE).correct
    assert not judge(sandbox, TURN.replace("row.reverse()", "pass"), IN_PLACE).correct
    assert not judge(sandbox, TURN.replace("rows.pop()", "rows = rows[:-1]"), IN_PLACE).correct


def test_a_function_that_returns_something_cannot_change_what_it_is_compared_with(sandbox):
    assert judge(sandbox, "def order(xs): return sorted(xs)", SORTED).correct
    clears = "def order(xs):\n    if isinstance(xs, tuple): return [1]\n    xs.clear()\n    return []"
    assert not judge(sandbox, clears, SORTED).correct


FORGED = """
import json, os, struct
def order(xs):
    if isinstance(xs, tuple):
        return [1]
    body = json.dumps({"value": [], "arguments": {"d": [["args", [[]]], ["kwargs", {"d": []}]]}}).encode()
    os.write(5, struct.pack("=I", len(body)) + body)
    os._exit(0)
"""


def test_a_program_that_speaks_for_its_sandbox_cannot_either(sandbox):
    assert not judge(sandbox, FORGED, SORTED).correct


def test_arguments_of_test_code_may_be_long(sandbox):
    target = human_eval("", "count", "text = 'x' * 1_500_000", "assert candidate(text) == 1_500_000")
    assert judge(sandbox, "def count(text): return len(text)", target).correct


@pytest.mark.parametrize(
    ("target", "response"),
    [pytest.param(HALF, text, id=f"half-{name}") for name, text in honest.HALF.items()]
    + [pytest.param(ZERO, text, id=f"zero-{name}") for name, text in honest.ZERO.items()]
    + [pytest.param(SUM, text, id=f"stdio-{name}") for name, text in honest.STDIO.items()],
)
def test_right_answers_in_every_dress_are_paid(sandbox, target, response):
    verdict = CodeVerifier(sandbox=sandbox).verify(Task("t", "p", target), Evidence(response))
    assert verdict.correct, verdict


@pytest.mark.parametrize(
    "response",
    [
        f"{honest.fenced(honest.FULL)}Better:\n{honest.fenced('def half(x): return 3')}",
        f"{honest.FULL}\nprint(half(3)",
        "    return 3\n",
        honest.fenced("from fractions import Fraction\ndef half(x): return Fraction(x, 3)"),
    ],
)
def test_a_dress_makes_no_wrong_answer_right(sandbox, response):
    verdict = CodeVerifier(sandbox=sandbox).verify(Task("t", "p", HALF), Evidence(response))
    assert (verdict.score, verdict.correct) == (0.0, False), verdict


def test_the_random_numbers_of_checks_are_not_those_of_the_program(sandbox):
    """A program that draws what the checks draw would know their questions without answering them."""
    check = "import random\nfor _ in range(3):\n    x = random.random()\n    assert same([x]) == x"
    target = {"tests": [{"check": check}], "entry_point": "same"}
    drawn = "import random\ndrawn = [random.random() for _ in range(3)]\ndef same(box): return box[0] if {} else 0"
    assert judge(sandbox, drawn.format("box[0] not in drawn"), target).correct
    assert not judge(sandbox, drawn.format("box[0] in drawn"), target).correct


def test_long_expected_output(sandbox):
    expected = "\n".join(map(str, range(300_000)))
    target = {"tests": [{"input": "", "output": expected}]}
    assert judge(sandbox, "print('\\n'.join(map(str, range(300_000))))", target).correct


def test_stdio(sandbox):
    assert judge(sandbox, "print(sum(map(int, input().split())))", SUM).correct
    assert judge(sandbox, "print(sum(map(int, input().split())), ' ')\nexit()", SUM).correct
    assert not judge(sandbox, "print(3)", SUM).correct


PROGRAMS = {hack.name: hack.source for hack in function_hacks("add")} | HACKS
LOOP = {
    "tests": [{"check": "for got, x in zip(map(lambda x: add(x, 1), range(3)), range(3)):\n    assert got == x + 1"}],
    "entry_point": "add",
}


def test_there_is_a_large_corpus():
    assert len(PROGRAMS) >= 75


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_hack_of_functions_is_paid(sandbox, name):
    verdict = judge(sandbox, PROGRAMS[name], {**ADD, "cpu_seconds": 0.5})
    assert (verdict.score, verdict.correct) == (0.0, False), verdict


@pytest.mark.slow
@pytest.mark.parametrize("target", [CHECK, LOOP], ids=["loop", "iterator"])
@pytest.mark.parametrize("name", sorted(PROGRAMS.keys() - {"right, and then the end", "right at the first call"}))
def test_no_hack_of_test_code_is_paid(sandbox, name, target):
    if name in ("right at the second call", "right, and then a crash at exit", "remember the answers"):
        pytest.skip("each call comes in a process of its own, and the program's end is not waited for")
    verdict = judge(sandbox, PROGRAMS[name], {**target, "cpu_seconds": 0.5})
    assert (verdict.score, verdict.correct) == (0.0, False), verdict


def test_an_iterator_that_the_program_ends_does_not_end_the_checks(sandbox):
    assert judge(sandbox, "def add(a, b): return a + b", LOOP).correct
    assert not judge(sandbox, "def add(a, b): raise StopIteration", LOOP).correct


def test_a_bug_that_only_shows_in_later_calls_of_a_process_is_none_of_its_own(sandbox):
    """A job of its own decides: calls share a process only as long as the values are right."""
    growing = "def add(a, b, seen=[]):\n    seen.append(a)\n    return a + b if len(seen) < 2 else 0"
    assert judge(sandbox, growing, ADD).correct


@pytest.mark.parametrize("name", [hack.name for hack in stdio_hacks()] + list(STDIO_HACKS))
def test_no_hack_of_output_is_paid(sandbox, name):
    programs = {hack.name: hack.source for hack in stdio_hacks()} | STDIO_HACKS
    verdict = judge(sandbox, programs[name], SUM)
    assert (verdict.score, verdict.correct) == (0.0, False), verdict


def test_copies_are_judged_once(sandbox):
    verifier = CodeVerifier(sandbox=sandbox)
    task, other = Task("t", "p", ADD), Task("t", "p", {**ADD, "tests": [{"args": [1, 1], "expected": 3}]})
    answer = Evidence("```python\ndef add(a, b): return a + b\n```")
    first, second = verifier.verify(task, answer), verifier.verify(task, answer)
    assert first == second
    assert first.details["sandbox_seconds"] > 0
    assert second.details["sandbox_seconds"] == 0
    assert verifier.verify(other, answer).correct is False


def test_verifiers_of_one_process_share_what_they_know():
    task = Task("shared", "p", {**ADD, "cpu_seconds": 1.5})
    answer = Evidence("```python\ndef add(a, b): return sum((a, b))\n```")
    first, second = (CodeVerifier().verify(task, answer) for _ in range(2))
    assert first.details["sandbox_seconds"] > 0
    assert second.details["sandbox_seconds"] == 0
    assert CodeVerifier(credit="fraction").verify(task, answer).details["sandbox_seconds"] > 0


def test_copies_that_come_together_are_judged_once(sandbox):
    verifier = CodeVerifier(sandbox=sandbox)
    task = Task("t", "p", {**ADD, "cpu_seconds": 0.5})
    answers = [
        Evidence(f"```python\ndef add(a, b): {body}\n```") for body in ("return a + b", "return 1") for _ in range(8)
    ]
    with ThreadPoolExecutor(16) as threads:
        verdicts = list(threads.map(lambda answer: verifier.verify(task, answer), answers))
    assert [verdict.correct for verdict in verdicts] == [True] * 8 + [False] * 8
    assert sum(verdict.details["sandbox_seconds"] > 0 for verdict in verdicts) == 2
    assert not verifier._memory._turns


def test_credit(sandbox):
    half = "def add(a, b): return 3"
    assert judge(sandbox, half, ADD).score == 0.0
    assert judge(sandbox, half, ADD, credit="fraction").score == 0.5
    grouped = {
        "tests": [
            {"args": [1, 2], "expected": 3, "group": "a", "weight": 1},
            {"args": [0, 3], "expected": 3, "group": "b", "weight": 3},
            {"args": [5, 6], "expected": 11, "group": "b", "weight": 4},
        ],
        "entry_point": "add",
    }
    assert judge(sandbox, half, grouped, credit="subtasks").score == pytest.approx(1 / 8)
    assert judge(sandbox, half, grouped, credit="fraction").score == pytest.approx(4 / 8)


class Broken(LocalSandbox):
    def run(self, job):
        return JobResult("internal_error", reason="broken")


def test_a_fault_of_the_sandbox_is_no_verdict():
    verdict = judge(Broken(1), "def add(a, b): return a + b", ADD, credit="fraction")
    assert verdict.score is None
    assert verdict.status == "error"


@pytest.mark.parametrize(
    "target",
    [None, {}, {"tests": []}, {"tests": [{}]}, {"tests": [{"args": [1]}], "entry_point": "f"}, {"tests": [{"args": [1], "expected": 1}]},
     {"tests": [{"output": "1"}], "compare": "loosely"}],
)  # fmt: skip
def test_tests_that_cannot_be_read_are_no_verdict(sandbox, target):
    verdict = judge(sandbox, "print(1)", target)
    assert (verdict.score, verdict.status) == (None, "unparsable")
    assert CodeVerifier(sandbox=sandbox).check_target(Task("t", "p", target))


@pytest.mark.parametrize("response", ["", "I cannot.", "```python\nprint(1)", "<think>```python\nprint(3)\n```"])
def test_no_program_is_no_answer(sandbox, response):
    verdict = CodeVerifier(sandbox=sandbox).verify(Task("t", "p", SUM), Evidence(response))
    assert (verdict.score, verdict.status) == (0.0, "no_answer")


def test_tests_survive_json():
    suite = read_suite(ADD)
    assert read_suite(json.loads(json.dumps({**ADD, "tests": [dump_test(t) for t in suite.tests]}))) == suite


def test_it_has_a_name():
    assert isinstance(make_verifier("code"), CodeVerifier)


@pytest.mark.skipif("ASSAY_DATA" not in os.environ, reason="ASSAY_DATA names no folder with benchmark rows")
def test_human_eval_references_pass_and_empty_bodies_fail(sandbox):
    rows = [json.loads(line) for line in (Path(os.environ["ASSAY_DATA"]) / "humaneval_odd.jsonl").open()]
    failed, fooled, as_data = [], [], 0
    for row in rows:
        tests = lift_check(row["test"], row["entry_point"], prompt=row["prompt"])
        as_data += isinstance(tests[0], CallTest)
        target = {"tests": [dump_test(t) for t in tests], "entry_point": row["entry_point"], "prompt": row["prompt"]}
        if not judge(sandbox, row["canonical_solution"], target).correct:
            failed.append(row["task_id"])
        if judge(sandbox, "    return None", target).correct:
            fooled.append(row["task_id"])
    assert not failed
    assert not fooled
    assert as_data >= 0.85 * len(rows)


def test_lifting():
    source = (
        "def check(candidate):\n    'doc'\n    assert candidate(1, [2]) == (3,), 'message'\n    assert True\n"
        "    assert abs(candidate(2) - 0.5) < 1e-6\n    assert not candidate('x', k=-1)\n    assert candidate(0) is None\n"
        "    assert candidate(2 * 3)\n"
    )
    assert lift_check(source, "f") == [
        CallTest((1, [2]), {}, (3,), "python"),
        CallTest((2,), {}, 0.5, "close", 1e-6),
        CallTest(("x",), {"k": -1}, None, "falsy"),
        CallTest((0,), {}, None, "is"),
        CallTest((6,), {}, None, "truthy"),
    ]
    loop = "def check(candidate):\n    for i in range(3):\n        assert candidate(i) == i\n"
    assert lift_check(loop, "f") == [CheckTest(f"\n{loop}", "check")]
