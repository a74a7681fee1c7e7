import random

import pytest

from assay.audits.monitor import Monitor
from assay.core.errors import ConfigError


def feed(monitor, rate, n, *, start=0, seed=0, per_step=20):
    rng = random.Random(seed)
    for i in range(n):
        monitor.observe(start + i // per_step, True, rng.random() >= rate)
    return monitor


def test_a_stable_verifier_raises_no_alarm():
    assert sum(feed(Monitor(baseline=0.05), 0.05, 400, seed=s).alarmed for s in range(60)) <= 12


def test_drift_raises_the_alarm_soon():
    for seed in range(20):
        monitor = feed(Monitor(baseline=0.05), 0.04, 300, seed=seed)
        if monitor.alarmed:
            continue
        feed(monitor, 0.4, 100, start=100, seed=seed + 100)
        assert monitor.alarmed
        assert 100 <= monitor.alarm_step <= 104


def test_the_baseline_is_learnt():
    monitor = feed(Monitor(warmup=100), 0.1, 100)
    assert 0.1 <= monitor.baseline <= 0.3
    assert not monitor.alarmed


def test_the_sample_is_hashed():
    monitor = Monitor(fraction=0.1)
    chosen = [monitor.wants(3, f"r{i}", True) for i in range(5000)]
    assert 0.08 < sum(chosen) / 5000 < 0.12
    assert chosen == [Monitor(fraction=0.1).wants(3, f"r{i}", True) for i in range(5000)]
    assert not any(monitor.wants(3, f"r{i}", False) for i in range(100))


def test_counts_and_metrics():
    monitor = Monitor(baseline=0.1)
    for first, second in ((True, True), (True, False), (False, True), (False, False), (None, True), (True, None)):
        monitor.observe(7, first, second)
    tally = monitor.steps[7]
    assert (tally.accepted, tally.refuted, tally.rejected, tally.missed, tally.undecided) == (2, 1, 2, 1, 2)
    metrics = monitor.metrics(7)
    assert metrics["monitor/checked"] == 6
    assert metrics["monitor/refuted"] == metrics["monitor/missed"] == 0.5
    assert monitor.interval(7).low < 0.5 < monitor.interval().high


def test_a_resumed_monitor_is_the_same():
    first = feed(Monitor(warmup=50), 0.1, 120)
    second = Monitor(warmup=50)
    second.load_state_dict(first.state_dict())
    feed(first, 0.5, 60, start=50)
    feed(second, 0.5, 60, start=50)
    assert first == second
    assert first.alarmed


def test_bad_settings():
    with pytest.raises(ConfigError, match="fractions"):
        Monitor(fraction=2)
    with pytest.raises(ConfigError, match="baseline"):
        Monitor(baseline=0.0)
