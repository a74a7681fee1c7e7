"""Pairs as DSTC selects them, on the numbers of the reference and on programs that really run."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.sandboxes import LocalSandbox
from assay.verifiers.code.pairs import Selection, consensus, pass_matrix, preference_pair, select_pair


def test_the_numeric_example():
    assert select_pair([[1, 1, 0], [1, 0, 0], [0, 0, 1]]) == Selection(0, 0, 2, 0)


@pytest.mark.parametrize("passes", [[], [[]], [[0, 0], [0, 0]], [[1, 1], [1, 1]], [[1, 0], [0, 1]]])
def test_no_clear_gap_gives_no_pair(passes):
    assert select_pair(passes) is None


@given(
    st.integers(1, 5).flatmap(
        lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=1, max_size=6)
    )
)
def test_a_pair_is_what_it_says(passes):
    found = select_pair(passes)
    if found is not None:
        assert passes[found.chosen][found.chosen_test]
        assert not passes[found.rejected][found.rejected_test]
        assert sum(passes[found.chosen]) == max(map(sum, passes)) > sum(passes[found.rejected])


def test_consensus():
    assert consensus([[1, 1, 0], [1, 0, 0], [0, 0, 0]]) == [1.0, 0.5, 0.0]
    assert consensus([[0], [0]]) == [0.0, 0.0]


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")
def test_programs_and_tests_that_run():
    programs = ["def f(x):\n    return x + 1\n", "def f(x):\n    return x - 1\n", "def f(:"]
    tests = [
        "def test_one():\n    assert f(1) == 2",
        "def test_all():\n    for x in range(3):\n        assert f(x) == x + 1",
        "import os",
    ]
    with LocalSandbox(1) as sandbox:
        assert pass_matrix(sandbox, programs, tests, "f") == [[True, True, False], [False] * 3, [False] * 3]
        pair = preference_pair(sandbox, programs, tests, "f")
    assert pair is not None
    assert pair.chosen == f"{programs[0]}\n\n{tests[0]}\n"
    assert pair.rejected == f"{programs[1]}\n\n{tests[0]}\n"
