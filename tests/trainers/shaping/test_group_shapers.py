import numpy as np
import pytest

from assay.core.errors import ConfigError
from assay.core.trajectory import Group
from assay.trainers.shaping import dast, dylr, pareto_mask, verifier_dominant
from assay.trainers.shaping.par import arctan, ceiling, centred, lsc, par, sgfc, tanh
from tests.trainers.builders import trajectory


def group_of(rewards, correct, tokens=None, parts=None):
    tokens = tokens or [3] * len(rewards)
    parts = parts or [{}] * len(rewards)
    rows = zip(rewards, correct, tokens, parts, strict=True)
    return Group(
        "g",
        tuple(trajectory([r], name=str(i), correct=c, tokens=[n], parts=[p]) for i, (r, c, n, p) in enumerate(rows)),
    )


def rewards(group):
    return [member.reward for member in group]


def test_dast_has_the_numbers_of_the_reference():
    group = group_of([3, 3, 2, 1], [True, True, False, False], [40, 80, 100, 160])
    assert rewards(dast([group])[0]) == pytest.approx([3.8182, 3.6364, 1.8182, 0.9], abs=1e-4)
    hopeless = group_of([0, 0], [False, False], [50, 100])
    assert rewards(dast([hopeless])[0]) == pytest.approx([-0.55, -0.1])


def test_dylr_has_the_numbers_of_the_reference():
    group = group_of([1] + [0] * 5, [True] + [False] * 5, [200, 0, 100, 200, 300, 400])
    assert rewards(dylr([group])[0]) == pytest.approx([1, -0.5, -0.25, 0, -0.25, -0.5])
    hopeless = group_of([0] * 4, [False] * 4, [375, 750, 4095, 4096])
    assert rewards(dylr([hopeless])[0]) == pytest.approx([-0.125, 0, 0, -0.25])
    with pytest.raises(ConfigError, match="target"):
        dylr([group], target=5000)


def test_pareto_keeps_who_is_not_dominated():
    points = [(1, 4), (2, 3), (3, 1), (2, 2), (0, 5)]
    group = group_of([sum(p) for p in points], [True] * 5, parts=[{"a": a, "b": b} for a, b in points])
    assert rewards(pareto_mask([group], parts=["a", "b"])[0]) == pytest.approx([5, 5, 4, 0, 5])
    twins = group_of([2, 2], [True] * 2, parts=[{"a": 1, "b": 1}] * 2)
    assert rewards(pareto_mask([twins], parts=["a", "b"])[0]) == [2, 2]
    missing = group_of([2, 9], [True] * 2, parts=[{"a": 1, "b": 1}, {"a": 9}])
    assert rewards(pareto_mask([missing], parts=["a", "b"])[0]) == [2, 9]
    with pytest.raises(ConfigError, match="list of names"):
        pareto_mask([group], parts="a")


def test_the_verifier_dominates():
    group = group_of([1, 1, 0, 0, 1], [True, True, False, False, True], parts=[{"m": m} for m in (2, -2, 2, -2)] + [{}])
    got = rewards(verifier_dominant([group], part="m")[0])
    assert got == pytest.approx([0.7311, 0.2689, -0.2689, -0.7311, 1], abs=1e-4)


def test_the_shapings_of_par():
    references = np.array([0.0, 1.0, 2.0])
    assert par(2, references) == pytest.approx(0.70395, abs=1e-5)
    assert par(2, references, k=2) == pytest.approx(0.78760, abs=1e-5)
    assert tanh(2, references) == pytest.approx(0.57521, abs=1e-5)
    assert centred(2, references) == pytest.approx(1.0)
    assert lsc(2, references) == pytest.approx(-0.61923, abs=1e-4)
    assert sgfc(5, references) == pytest.approx(par(2, references))
    assert arctan(1, references) == pytest.approx(0.0)
    assert (ceiling(5.0), ceiling(2.0)) == (3.0, 2.0)
    assert 0 < par(-1e6, references) + 1e-300 < par(1e6, references) <= 1
