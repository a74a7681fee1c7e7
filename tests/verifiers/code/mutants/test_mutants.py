"""Mutants parse and differ in one place; refactorings compute the same."""

import ast
import json
import os
from pathlib import Path

import pytest

from assay.sandboxes import LocalSandbox
from assay.verifiers.code.killable import killable_mutants, replies
from assay.verifiers.code.lift import lift_check
from assay.verifiers.code.mutants import mutants, refactorings
from assay.verifiers.code.tests import CallTest, Suite
from assay.verifiers.code.verifier import CodeVerifier

needs_linux = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")
CLAMP = '''def clamp(x, low=0, high=9):
    """Keep x between -1 and 3."""  # x < y
    if x < low and low != high:
        return low
    größe = min(x, high); total = f"{x + 1}"
    for i in range(high):
        if i == 2:
            continue
        größe += 0
    return größe
'''


@pytest.fixture(scope="module")
def sandbox():
    with LocalSandbox(1) as sandbox:
        yield sandbox


def test_each_mutant_changes_one_place_of_the_text():
    found = list(mutants(CLAMP))
    operators = "arithmetic comparison logic constant condition bound call delete flow return"
    assert {m.operator for m in found} == set(operators.split())
    for mutant in found:
        ast.parse(mutant.source)
        assert '"""Keep x between -1 and 3."""  # x < y' in mutant.source
        assert 'f"{x + 1}"' in mutant.source or mutant.operator == "delete"
        changed = [a != b for a, b in zip(CLAMP.splitlines(), mutant.source.splitlines(), strict=True)]
        assert sum(changed) == 1
        assert changed[mutant.line - 1]
    assert any("größe -= 0" in m.source for m in found)
    assert len({m.source for m in found}) == len(found)


def test_what_is_no_python_has_no_mutants():
    for text in ("def f(:", "x = " + "(" * 500 + ")" * 500, "x" * 200_000):
        with pytest.raises(ValueError, match=r"Python|longer"):
            list(mutants(text))


@needs_linux
def test_killable_mutants_come_with_a_witness(sandbox):
    inputs = [((x,), {}) for x in (-5, 0, 4, 20)]
    killed = killable_mutants(sandbox, CLAMP, "clamp", inputs)
    assert 10 <= len(killed) < len(list(mutants(CLAMP)))
    expected = dict(zip([repr(i) for i in inputs], replies(sandbox, CLAMP, "clamp", inputs), strict=True))
    for mutant in killed:
        (reply,) = replies(sandbox, mutant.variant.source, "clamp", [mutant.witness])
        assert not reply.same(expected[repr(mutant.witness)])
    with pytest.raises(ValueError, match="reference fails"):
        killable_mutants(sandbox, "def f(x): return 1 / x", "f", [((0,), {})])


@needs_linux
def test_a_call_that_ends_the_process_is_the_last(sandbox):
    source = "import os\ndef f(x):\n    if x == 1: os._exit(0)\n    if x == 5: raise KeyError\n    return x"
    found = replies(sandbox, source, "f", [((x,), {}) for x in (5, 0, 1, 2)])
    assert [reply.failed for reply in found] == ["KeyError", "", "ended", "not called"]


REFACTORABLE = """def f(xs, n=3):
    total = 0
    for x in xs:
        if x % 2:
            continue
        elif x > n:
            total += x if x < 9 else -x
        else:
            total -= 1
    return total
"""


@needs_linux
def test_refactorings_compute_the_same(sandbox):
    inputs = [((xs,), {}) for xs in ([], [1, 2, 3, 4], [10, 8, 6, 5], [2])]
    expected = replies(sandbox, REFACTORABLE, "f", inputs)
    found = list(refactorings(REFACTORABLE))
    assert {v.operator for v in found} == {
        "dead code", "unused variable", "swap branches", "name the result", "loop", "rename"
    }  # fmt: skip
    for variant in found:
        assert all(map(lambda a, b: a.same(b), replies(sandbox, variant.source, "f", inputs), expected)), variant.source


def test_programs_that_see_their_own_names_are_not_renamed():
    assert not any(v.operator == "rename" for v in refactorings("def f(x):\n    y = x\n    return locals()\n"))
    assert not any(v.operator == "rename" for v in refactorings("def f(x):\n    y = x\n    return lambda: y\n"))


@needs_linux
@pytest.mark.slow
@pytest.mark.skipif("ASSAY_DATA" not in os.environ, reason="ASSAY_DATA names no folder with benchmark rows")
def test_refactorings_of_published_solutions_pass_their_tests(sandbox):
    verifier = CodeVerifier(sandbox=sandbox)
    tried = 0
    for line in (Path(os.environ["ASSAY_DATA"]) / "humaneval_odd.jsonl").read_text().splitlines()[::2]:
        row = json.loads(line)
        tests = lift_check(row["test"], row["entry_point"], prompt=row["prompt"])
        if not isinstance(tests[0], CallTest):
            continue
        for variant in refactorings(row["prompt"] + row["canonical_solution"]):
            tried += 1
            verdict = verifier.judge(variant.source, Suite(tuple(tests), row["entry_point"]))
            assert verdict.correct, (row["task_id"], variant.operator, verdict.reason)
    assert tried > 100
