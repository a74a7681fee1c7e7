import numpy as np
import pytest

from assay.audits import audit
from assay.audits.case import Case
from assay.audits.rates import cluster_wilson, rate
from assay.audits.training import NoiseChannel
from assay.core.errors import ConfigError, DataError
from assay.core.stats import wilson
from tests.audits import fixtures


def rows(*triples, **fields):
    return [Case(str(i), t, r, bool(c), **fields) for i, (t, r, c) in enumerate(triples)]


def test_confusion_rates_and_json():
    report = audit(fixtures.Exact(), rows(("1", "1", 1), ("1", "1.0", 1), ("2", "2", 0), ("2", "3", 0), ("4", "5", 0)))
    data = report.to_json()
    assert data["n"] == 5
    assert data["fn_rate"] == 0.5
    assert data["fp_rate"] == pytest.approx(1 / 3)
    assert data["fp_interval"] == pytest.approx(list(wilson(1, 3)))
    assert data["labels"]["fn"]["clopper_pearson"][0] < 0.5 < data["labels"]["fn"]["clopper_pearson"][1]
    assert data["status"] == {"ok": 5}
    assert set(data["latency"]) >= {"p50", "p99", "max"}
    assert [(d["id"], d["error"], d["reason"]) for d in data["labels"]["disagreements"]] == [
        ("1", "FN", "other text"),
        ("2", "FP", ""),
    ]
    assert data["labels"]["fn_causes"] == {"comparison": 1}
    assert data["training"]["youden_j"] == pytest.approx(1 - 0.5 - 1 / 3)


def test_a_stage_that_never_decides_is_a_finding():
    report = audit(fixtures.Exact(), rows(("1", "1", 1), ("1", "2", 0)))
    assert [(s.stage, s.decided) for s in report.labels.stages] == [("string", 2), ("never", 0)]
    assert any(f.kind == "dead-stage/never" and "0 of 2" in f.title for f in report.findings)


def test_no_verdict_is_counted_apart_and_bounds_the_rates():
    report = audit(fixtures.Sleepy(), rows(("a", "a", 1), ("a", "b", 1), ("shrug!", "shrug", 1), ("a", "c", 0)))
    fn = report.labels.fn
    assert (fn.events, fn.n, fn.unscored) == (1, 2, 1)
    assert fn.value == 0.5
    assert list(fn.bounds) == pytest.approx([1 / 3, 2 / 3])
    assert report.labels.no_verdict == {"do not know": 1}


def test_unparsable_answers_are_a_parsing_cause():
    report = audit(fixtures.Rational(), rows(("1/2", "one half", 1), ("1/2", "0.5", 1), ("1/2", "1/3", 0)))
    assert report.labels.fn_causes == {"parsing": 1}


def test_classes_have_their_own_rates():
    cases = rows(("1", "1.0", 1), ("1", "2", 1), cls="decimal") + [Case("z", "1", "1", True, cls="plain")]
    by_class = {row.cls: row.fn.value for row in audit(fixtures.Rational(), cases).labels.classes}
    assert by_class == {"decimal": 0.5, "plain": 0.0}


def test_unreadable_golds_are_refused_unless_allowed():
    cases = rows(("", "1", 0), ("1", "1", 1))
    with pytest.raises(DataError, match="cannot read 1 of the golds of 2 rows"):
        audit(fixtures.Exact(), cases)
    assert len(audit(fixtures.Exact(), cases, allow_unreadable=True).to_json()["unreadable_golds"]) == 1


def test_a_few_unreadable_golds_are_counted_and_listed():
    cases = rows(("", "1", 0), *[(str(i), str(i), 1) for i in range(19)])
    report = audit(fixtures.Exact(), cases)
    assert [gold.target for gold in report.unreadable] == [""]
    assert report.labels.confusion.total == 20


def test_nothing_to_audit():
    with pytest.raises(ConfigError, match="nothing to audit on"):
        audit(fixtures.Exact(), [])


def test_clusters_widen_the_interval():
    flags = [True] * 20 + [False] * 60
    alone = rate(flags, [str(i) for i in range(80)])
    shared = rate(flags, [str(i // 10) for i in range(80)])
    assert alone.interval == alone.wilson
    assert shared.interval == shared.clustered
    assert shared.interval.high - shared.interval.low > 1.5 * (alone.wilson.high - alone.wilson.low)


def test_without_events_clusters_are_the_sample_size():
    assert cluster_wilson([False] * 100, [str(i // 10) for i in range(100)]) == wilson(0, 10)
    assert cluster_wilson([], []) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("p", "rho0", "rho1", "precision", "effective"),
    [(0.02, 0.01, 0.0, 0.67, 0.66), (0.02, 0.05, 0.05, 0.28, 0.25), (0.02, 0, 0.22, 1.0, 0.78),
     (0.9, 0, 0.22, 1.0, 0.26), (0.5, 0, 0.22, 1.0, 0.64)],
)  # fmt: skip
def test_training_terms_of_the_literature(p, rho0, rho1, precision, effective):
    channel = NoiseChannel(rho0, rho1)
    assert channel.precision(p) == pytest.approx(precision, abs=0.006)
    assert channel.effective_share(p) == pytest.approx(effective, abs=0.006)


def test_spurious_groups():
    assert NoiseChannel(0.01, 0).spurious_group(16) == pytest.approx(0.149, abs=5e-4)
    assert NoiseChannel(0.05, 0).spurious_group(16) == pytest.approx(0.56, abs=5e-3)


def test_corrections_are_unbiased_in_simulation():
    rng = np.random.default_rng(0)
    channel, p = NoiseChannel(0.1, 0.2), 0.3
    truth = rng.random(400_000) < p
    seen = np.where(truth, rng.random(truth.size) >= 0.2, rng.random(truth.size) < 0.1)
    backward = np.where(seen, channel.backward(1), channel.backward(0))
    assert backward.mean() == pytest.approx(p, abs=0.005)
    # Score function of a Bernoulli policy at logit(p): r - p. Clean gradient p(1-p); forward gives J times it.
    score = truth - p
    forward = np.where(seen, channel.forward(1), channel.forward(0))
    assert (forward * score).mean() == pytest.approx(channel.youden * p * (1 - p), abs=0.003)
    assert channel.prevalence(seen.mean()) == pytest.approx(p, abs=0.005)


def test_a_channel_without_information_cannot_be_inverted():
    with pytest.raises(ConfigError, match="J"):
        NoiseChannel(0.6, 0.5).backward(1.0)
