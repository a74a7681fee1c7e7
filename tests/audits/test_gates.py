import json

import pytest

from assay.audits import audit
from assay.audits.case import Case
from assay.audits.gates import Gates, cases_needed, check_gates, load_baseline, regressions
from assay.core.errors import ConfigError, DataError, SchemaError
from tests.audits import fixtures


def rows(n):
    right = [Case(f"r{i}", str(i), str(i), True) for i in range(n)]
    return right + [Case(f"w{i}", str(i), f"{i}9", False) for i in range(n)]


@pytest.fixture(scope="module")
def clean():
    return audit(fixtures.Rational(), rows(60)).to_json()


def test_gates_read_the_upper_end(clean):
    assert check_gates(clean, Gates(max_fp_upper=0.07, max_fn_upper=0.07, max_p99_ms=1000, max_critical=0)) == []
    (line,) = check_gates(clean, Gates(max_fp_upper=0.01))
    assert "0 of 60 wrong" in line
    assert "368 cases" in line


def test_cases_needed():
    """Zero failures, two-sided 95 %: the exact upper end is 1 - 0.025 ** (1/n)."""
    for limit in (0.05, 0.01, 0.001):
        n = cases_needed(limit)
        assert 1 - 0.025 ** (1 / n) <= limit < 1 - 0.025 ** (1 / (n - 1))


def test_clusters_count():
    shared = [Case(str(i), "1", "1" if i % 2 else "2", bool(i % 2), cluster=f"p{i % 4}") for i in range(400)]
    (line,) = check_gates(audit(fixtures.Rational(), shared).to_json(), Gates(max_fp_upper=0.05))
    assert "0 of 200 wrong" in line


def test_what_was_not_measured_fails(clean):
    (line,) = check_gates(clean, Gates(max_ceiling=0.0))
    assert "no attack was run" in line
    only_right = audit(fixtures.Rational(), rows(5)[:5]).to_json()
    assert "not measured" in check_gates(only_right, Gates(max_fp_upper=0.5))[0]


def test_bad_gates():
    with pytest.raises(ConfigError, match=r"1 % is 0\.01"):
        Gates(max_fp_upper=5)
    with pytest.raises(ConfigError, match="not negative"):
        Gates(max_p99_ms=-1)


def test_a_regression_is_paired_and_an_improvement_silent(clean):
    def worse_grader(completion, answer):
        return completion == answer and not completion.startswith("1")

    worse = audit(worse_grader, rows(60)).to_json()
    found = regressions(worse, clean)
    assert any("new FN against 0 mended" in line for line in found)
    assert any("new finding" in line for line in found)
    assert regressions(clean, worse) == []
    assert regressions(clean, clean) == []


def test_cases_that_only_one_side_has_are_no_regression(clean):
    other = audit(fixtures.Exact(), [Case(f"n{i}", "1", "1.0", True) for i in range(20)]).to_json()
    assert not any("against" in line for line in regressions(other, clean))


def test_baseline_files(tmp_path, clean):
    path = tmp_path / "base.json"
    path.write_text(json.dumps(clean))
    assert load_baseline(path) == json.loads(json.dumps(clean))
    with pytest.raises(DataError, match="cannot be read"):
        load_baseline(tmp_path / "missing.json")
    path.write_text("[]")
    with pytest.raises(DataError, match="not the JSON of an audit"):
        load_baseline(path)
    path.write_text(json.dumps(clean | {"schema_version": 99}))
    with pytest.raises(SchemaError, match="newer assay"):
        load_baseline(path)
