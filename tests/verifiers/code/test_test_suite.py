"""Test suites are worth what they catch; a suite that decides by anything but what it sees is worth nothing."""

# ruff: noqa: E501

import os

import pytest

from assay.core.task import Task
from assay.sandboxes import LocalSandbox
from assay.verifiers import Evidence, make_verifier, run_verifier
from assay.verifiers.code.test_suite import TestSuiteVerifier

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")

TARGET = {
    "reference": "def f(x, y=1):\n    if x > 3:\n        return x + y\n    return y\n",
    "entry_point": "f",
    "inputs": [{"args": [a]} for a in (0, 3, 4, 9)] + [{"args": [5], "kwargs": {"d": [["y", 2]]}}],
}
THOROUGH = """def test_small_values_give_the_second():
    # at the border
    assert f(0) == 1
    assert f(3) == 1

def test_large_values_are_added():
    assert f(4) == 5
    assert f(9) == 10
    assert f(5, y=2) == 7
"""


@pytest.fixture(scope="module")
def sandbox():
    with LocalSandbox(1) as sandbox:
        yield sandbox


def judge(sandbox, suite, target=TARGET, **options):
    verifier = TestSuiteVerifier(sandbox=sandbox, mutants=6, **options)
    return run_verifier(verifier, Task("t", "p", target), Evidence(f"```python\n{suite}\n```"))


def test_thorough_tests_kill_all_mutants_as_data_and_as_code(sandbox):
    looped = 'def test_table():\n    """All."""\n    for x, y in {0: 1, 3: 1, 4: 5, 9: 10}.items():\n        assert f(x) == y\n    assert f(5, y=2) == 7\n'
    cased = "import unittest\nclass TestF(unittest.TestCase):\n    def test_all(self):\n        for x, y in ((0, 1), (3, 1), (4, 5), (9, 10)):\n            self.assertEqual(f(x), y)\n        self.assertEqual(f(5, y=2), 7)\n"
    for suite in (THOROUGH, looped, cased):
        verdict = judge(sandbox, suite)
        assert verdict.correct, verdict
        assert verdict.parts["mutants"] == 1.0
    assert judge(sandbox, THOROUGH).score == 1.0


def test_the_score_is_the_share_of_mutants_times_quality(sandbox):
    verdict = judge(sandbox, "def test_1():\n    assert f(9) == 10", smell_weight=0.5)
    assert verdict.correct is False
    share, quality = verdict.parts["mutants"], verdict.parts["quality"]
    assert 0 < share < 1
    assert quality == pytest.approx(7 / 9)
    assert verdict.score == pytest.approx(share * (0.5 + 0.5 * quality))


WORTHLESS = {
    "fails the reference": THOROUGH.replace("== 10", "== 11"),
    "asserts nothing": "def test_a():\n    f(0)",
    "empty": "def test_a():\n    pass",
    "true": "def test_a():\n    assert f is not None",
    "always fails": "def test_a():\n    assert f(0) == 1\n    assert 0 in [1]",
    "chance": "import random\ndef test_a():\n    assert random.random() < 0.5 and f(0) == 1",
    "time": "import time\ndef test_a():\n    assert time.time() % 2 < 1 and f(0) == 1",
    "address": "def test_a():\n    assert id(object()) // 64 % 2 and f(0) == 1",
    "forged verdict": "import os\ndef test_a():\n    os.write(5, b'{\"passed\":true}')\n    assert f(0) == 1",
    "source of the program": "def test_a():\n    assert f.__code__.co_consts == (3,)",
    "no Python": "def test_a(:",
}  # fmt: skip


@pytest.mark.parametrize("name", WORTHLESS)
def test_worthless_suites_score_nothing(sandbox, name):
    verdict = judge(sandbox, WORTHLESS[name])
    assert (verdict.score, verdict.correct) == (0.0, False), verdict


def test_a_suite_that_fails_without_having_seen_a_difference_is_tampering(sandbox):
    by_chance = (
        "def test_a():\n    for s in ({'a', 'b', 'c', 'd'},):\n        assert f(0) == 1 and ''.join(s)[0] in 'ab'\n"
    )
    scores = [judge(sandbox, by_chance).score for _ in range(3)]
    assert max(scores) == 0.0


@pytest.mark.parametrize(
    "target",
    [None, {}, {**TARGET, "inputs": []}, {**TARGET, "reference": "def f(:"}, {**TARGET, "inputs": [{"args": ["x"]}]},
     {**TARGET, "reference": "def f(x, y=1): pass"}],
)  # fmt: skip
def test_targets_that_cannot_be_used_are_no_verdict(sandbox, target):
    verdict = judge(sandbox, THOROUGH, target)
    assert (verdict.score, verdict.status) == (None, "unparsable")


def test_it_has_a_name():
    assert isinstance(make_verifier("test_suite"), TestSuiteVerifier)
