"""Intervals hold the truth as often as they say: the simulation of `benchmarks/audit_coverage.py`, shortened."""

from __future__ import annotations

import numpy as np
import pytest

from assay.audits.rates import cluster_wilson, rate
from benchmarks.audit_coverage import SETTINGS, corpus

RUNS = 1000


@pytest.mark.parametrize("setting", [SETTINGS[i] for i in (1, 3, 5)], ids=str)
def test_coverage_is_93_to_97_percent(setting):
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(RUNS):
        flags, clusters = corpus(rng, *setting)
        low, high = cluster_wilson(flags, clusters)
        held += low <= setting[0] <= high
    # Two standard errors of the simulation beyond 93 and 97 %.
    assert 0.916 <= held / RUNS <= 0.982


def test_taking_dependent_rows_for_independent_ones_does_not_cover():
    rng, truth, held = np.random.default_rng(2), 0.1, 0
    for _ in range(150):
        flags, clusters = corpus(rng, truth, 100, 6, 0.5)
        found = rate(flags, clusters)
        held += found.wilson.low <= truth <= found.wilson.high
        assert found.interval == found.clustered
    assert held / 150 < 0.85


def test_without_clusters_the_interval_is_wilsons():
    found = rate([True] + [False] * 19, [str(i) for i in range(20)])
    assert found.interval == found.wilson
    assert found.bootstrap is not None
    assert rate([], []).value is None
