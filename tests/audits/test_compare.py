import pytest

from assay.audits.case import Case
from assay.audits.compare import agreement, compare, compare_trials, holm
from assay.core.errors import ConfigError
from tests.audits import fixtures

ROWS = [Case(str(i), "1/2", "0.5", True, cls="decimal") for i in range(8)] + [
    Case("x", "3", "3", True, cls="plain"),
    Case("y", "3", "4", False, cls="plain"),
]


def test_mcnemar_over_the_same_cases():
    result = compare(fixtures.Exact(), fixtures.Rational(), ROWS)
    assert (result.overall.both, result.overall.only_a, result.overall.only_b, result.overall.neither) == (2, 0, 8, 0)
    assert result.overall.p_value == pytest.approx(2 * 0.5**8)
    assert result.overall.difference.estimate == pytest.approx(0.8)
    assert result.overall.difference.low > 0
    by_class = {c.cls: c for c in result.classes}
    assert by_class["decimal"].adjusted_p == pytest.approx(2 * 2 * 0.5**8)
    assert by_class["plain"].adjusted_p == 1.0
    assert len(result.differing) == 8
    assert result.to_json()["accuracy_a"]["fn_rate"] == pytest.approx(8 / 9)


def test_a_missing_verdict_is_not_right():
    rows = [Case("1", "a", "shrug", False), Case("2", "a", "a", True)]
    result = compare(fixtures.Exact(), fixtures.Sleepy(), rows)
    assert (result.overall.both, result.overall.only_a) == (1, 1)


def test_different_cases_cannot_be_paired():
    from assay.audits.adapters import resolve
    from assay.audits.trials import run_cases

    trials = run_cases(resolve(fixtures.exact), ROWS)
    with pytest.raises(ConfigError, match="same cases"):
        compare_trials("a", trials, "b", trials[::-1])


def test_kappa_misleads_at_skew_and_pabak_does_not():
    both = [(True, True)] * 94 + [(True, False)] * 3 + [(False, True)] * 3
    found = agreement(both)
    assert found.observed == 0.94
    assert found.kappa == pytest.approx(-0.0309, abs=1e-4)
    assert found.pabak == pytest.approx(0.88)


def test_holm():
    assert holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06]
    assert holm([]) == []
