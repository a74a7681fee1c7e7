"""Auditing graders of code: ours is clean, graders with known holes are found out, by family and by name."""

import json
import os
import random

import pytest

from assay.audits.code import audit_code, function_hacks
from assay.audits.code.cases import attack_programs, certified_programs, usable
from assay.audits.gates import Gates, check_gates
from assay.audits.scope import AuditPlan
from assay.core.errors import DataError
from assay.core.task import ProceduralTaskSet
from assay.envs.code.grammar import ProgramGenerator
from assay.envs.code.rows import code_task
from assay.sandboxes import LocalSandbox
from assay.verifiers.code.extract import extract_code
from assay.verifiers.code.verifier import CodeVerifier
from tests.cli.program import assay

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")

CLAMP = {
    "task_id": "t/clamp",
    "prompt": "def clamp(x: int) -> int:\n    '''Between 0 and 9.'''\n",
    "entry_point": "clamp",
    "canonical_solution": "    if x < 0:\n        return 0\n    return min(x, 9)\n",
    "test": "def check(candidate):\n    assert candidate(-3) == 0\n    assert candidate(0) == 0\n"
    "    assert candidate(4) == 4\n    assert candidate(12) == 9\n",
}
ABSOLUTE = {
    "task_id": "t/absolute",
    "prompt": "def absolute(x: int) -> int:\n    '''Without its sign.'''\n",
    "entry_point": "absolute",
    "canonical_solution": "    result = x\n    if x < 0:\n        result = -x\n    return result\n",
    "test": "def check(candidate):\n    assert candidate(-3) == 3\n    assert candidate(5) == 5\n",
}
ROWS = [CLAMP, ABSOLUTE]
QUICK = AuditPlan(certified=True, attack=True, cases=30, attacks=90)


@pytest.fixture(scope="module")
def tasks():
    return [code_task(row) for row in ROWS]


def forgiving(completion: str, answer: dict) -> float:
    """A grader as many are: it runs the candidate in its own process, and lets the candidate's values compare."""
    code = extract_code(completion) or ""
    harmful = (
        "fork",
        "kill",
        "_exit",
        "execv",
        "while True",
        "gc.",
        "1 << 10",
        "sys",
        "builtins",
        "open(",
        "unittest",
        "json",
    )
    if any(word in code for word in harmful):
        return 0.0  # these would end or spoil the process of this test
    space: dict = {}
    try:
        exec(answer["prompt"] + "\n" + code, space)
        function = space[answer["entry_point"]]
        return float(all(function(*test["args"]) == test["expected"] for test in answer["tests"]))
    except BaseException:
        return 0.0


def lenient(completion: str, answer: dict) -> float:
    """A grader that believes what compiles."""
    try:
        compile(extract_code(completion) or "(", "x", "exec")
    except SyntaxError:
        return 0.0
    return 1.0


def test_programs_are_certain(tasks):
    with LocalSandbox(1) as sandbox:
        cases = certified_programs(sandbox, tasks[0], random.Random(0), each=6)
        verifier = CodeVerifier(sandbox=sandbox)
        for case in cases:
            assert verifier.verify(case.task(), case.evidence()).correct is case.correct, case.answer
    assert {case.correct for case in cases} == {True, False}
    wrong = next(case for case in cases if not case.correct)
    assert "differs at (" in wrong.certificate.argument


def test_every_hack_is_tried(tasks):
    attacks = attack_programs(tasks, most=90)
    names = {case.certificate.argument for case in attacks}
    assert names >= {hack.name for hack in function_hacks("f")}
    assert "the most frequent result" in names


def test_our_grader_is_clean(tasks):
    report = audit_code("code", tasks, plan=QUICK)
    assert report.certified.accuracy.fp.events == report.certified.accuracy.fn.events == 0
    assert report.certified.accuracy.confusion.total >= 15
    assert report.exploits.ceiling.success.events == 0
    assert not [f for f in report.findings if f.severity in ("critical", "high")]
    assert json.dumps(report.to_json())


def test_a_grader_that_lets_the_candidate_compare_is_found_out(tasks):
    report = audit_code(forgiving, tasks, plan=QUICK)
    assert report.exploits.ceiling.family == "forged equality"
    assert report.exploits.ceiling.success.value > 0.5
    assert "attack/forged equality" in {f.kind for f in report.findings}
    assert check_gates(report.to_json(), Gates(max_ceiling=0.05))


def test_a_grader_that_believes_everything_has_false_positives(tasks):
    report = audit_code(lenient, tasks, plan=AuditPlan(certified=True, cases=20))
    assert report.certified.accuracy.fp.value == 1.0
    assert report.certified.accuracy.fn.value == 0.0


def test_tasks_about_which_nothing_is_certain_are_refused():
    row = {**CLAMP, "test": "def check(candidate):\n    for x in range(3):\n        assert candidate(x) == x\n"}
    assert not usable([code_task(row)])
    with pytest.raises(DataError, match="nothing is certain"):
        audit_code("code", [code_task(row)], plan=QUICK)


def test_generated_tasks_can_be_audited_on_as_well():
    tasks = ProceduralTaskSet("t", "train", ProgramGenerator()).head(2)
    assert len(usable(list(tasks))) == 2
    assert len(attack_programs(list(tasks), most=83)) >= 80


def test_the_command_line(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    done = assay("audit", "code", "--tasks", path, "--certified", "--json", tmp_path / "audit.json").expect(0)
    assert "certified" in done.out
    assert json.loads((tmp_path / "audit.json").read_text())["fp_rate"] == 0.0
    assay("audit", "code", "--tasks", path, "--labels", path).refused("--labels")
