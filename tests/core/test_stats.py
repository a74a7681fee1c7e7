import doctest
import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core import stats
from assay.core.errors import ConfigError


def test_the_examples_in_the_docstrings():
    result = doctest.testmod(stats)
    assert result.attempted >= 8
    assert result.failed == 0


# -- one rate


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(0, 50, 0.0, 0.0713), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)],
)
def test_wilson_gives_the_published_values(k, n, low, high):
    # The last two are Newcombe 1998 (Statist. Med. 17:857), table I, method 3.
    assert stats.wilson(k, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(0, 10, 0.0, 0.30850), (81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (4, 20, 0.05733, 0.43661)],
)
def test_clopper_pearson_gives_the_published_values(k, n, low, high):
    assert stats.clopper_pearson(k, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_exact_interval_contains_the_rate_and_is_wider_than_wilson_on_the_whole(case):
    k, n = case
    exact, score = stats.clopper_pearson(k, n), stats.wilson(k, n)
    assert 0 <= exact.low <= k / n <= exact.high <= 1
    assert 0 <= score.low <= k / n <= score.high <= 1
    assert exact.high - exact.low >= score.high - score.low - 0.02


def test_coverage_of_both_intervals_by_enumeration():
    n = 40
    for p in (0.02, 0.1, 0.3, 0.5):
        weights = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
        exact = sum(w for k, w in enumerate(weights) if _inside(stats.clopper_pearson(k, n), p))
        score = sum(w for k, w in enumerate(weights) if _inside(stats.wilson(k, n), p))
        assert exact >= 0.95
        assert 0.91 <= score <= 0.99


def _inside(interval, p):
    return interval.low <= p <= interval.high


def test_nothing_observed_says_nothing():
    assert stats.wilson(0, 0) == (0.0, 1.0)
    assert stats.clopper_pearson(0, 0) == (0.0, 1.0)
    assert stats.bounds_with_unscored(0, 0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("k", "n", "level"), [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0), (1, 2, 95)])
def test_rates_that_are_none_are_refused(k, n, level):
    with pytest.raises(ConfigError):
        stats.wilson(k, n, level)
    with pytest.raises(ConfigError):
        stats.clopper_pearson(k, n, level)


def test_unscored_samples_widen_the_rate():
    assert stats.bounds_with_unscored(3, 6, 10) == (0.3, 0.7)
    with pytest.raises(ConfigError, match="successes"):
        stats.bounds_with_unscored(7, 6, 10)


# -- pass@k


def _brute_force(n, c, k, judge):
    outcomes = [1] * c + [0] * (n - c)
    draws = list(itertools.combinations(outcomes, k))
    return sum(judge(draw) for draw in draws) / len(draws)


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_and_pass_hat_k_are_the_mean_over_all_subsets(case):
    n, c, k = case
    assert stats.pass_at_k(n, c, k) == pytest.approx(_brute_force(n, c, k, any))
    assert stats.pass_hat_k(n, c, k) == pytest.approx(_brute_force(n, c, k, all))


def test_pass_at_k_of_many_tasks_at_once_and_for_large_counts():
    np.testing.assert_allclose(stats.pass_at_k([5, 5, 5], [0, 2, 5], 2), [0.0, 0.7, 1.0])
    # C(1000 - 10, 100) / C(1000, 100) from exact integers
    expected = 1 - math.comb(990, 100) / math.comb(1000, 100)
    assert float(stats.pass_at_k(1000, 10, 100)) == pytest.approx(expected, rel=1e-12)


def test_pass_at_k_is_unbiased_where_the_plug_in_is_not():
    rng = np.random.default_rng(0)
    rate, n, k = 1 - 0.5 ** (1 / 4), 8, 4  # truth: pass@4 = 0.5
    c = rng.binomial(n, rate, size=200_000)
    assert stats.pass_at_k(n, c, k).mean() == pytest.approx(0.5, abs=0.003)
    assert (1 - (1 - c / n) ** k).mean() < 0.48


@pytest.mark.parametrize("estimate", [stats.pass_at_k, stats.pass_hat_k])
def test_too_few_samples_are_refused(estimate):
    with pytest.raises(ConfigError, match=r"needs at least 8 samples of every task; one has 4"):
        estimate([8, 4], [1, 1], 8)
    with pytest.raises(ConfigError, match="at least 1"):
        estimate(4, 1, 0)
    with pytest.raises(ConfigError, match="between 0 and"):
        estimate(4, 5, 2)


# -- bootstrap


def test_the_bootstrap_over_tasks_covers_and_the_naive_interval_does_not():
    rng = np.random.default_rng(1)
    tasks, samples, trials = 60, 8, 400
    hits = naive_hits = 0
    clusters = np.repeat(np.arange(tasks), samples)
    for trial in range(trials):
        rates = rng.choice([0.1, 0.9], size=tasks)  # truth: 0.5; samples of one task agree with each other
        outcomes = (rng.random((tasks, samples)) < rates[:, None]).astype(float)
        interval = stats.bootstrap_interval(outcomes.ravel(), clusters=clusters, resamples=400, seed=trial)
        hits += interval.low <= 0.5 <= interval.high
        naive = stats.wilson(outcomes.sum(), outcomes.size)
        naive_hits += naive.low <= 0.5 <= naive.high
    assert 0.91 <= hits / trials <= 0.98
    assert naive_hits / trials < 0.75


def test_the_bootstrap_is_seeded_and_bounded_by_its_values():
    values = np.random.default_rng(0).random(50)
    first = stats.bootstrap_interval(values, seed=3)
    assert first == stats.bootstrap_interval(values, seed=3)
    assert first != stats.bootstrap_interval(values, seed=4)
    assert values.min() <= first.low <= values.mean() <= first.high <= values.max()


def test_whole_clusters_are_drawn():
    # Two clusters of opposite values: every resample is a mixture of whole clusters, so only 0, 1/2 and 1 occur.
    values, clusters = [0.0] * 10 + [1.0] * 10, ["a"] * 10 + ["b"] * 10
    assert stats.bootstrap_interval(values, clusters=clusters) == (0.0, 1.0)
    sums, counts = stats.cluster_sums(values, clusters)
    np.testing.assert_array_equal(sums, [0.0, 10.0])
    np.testing.assert_array_equal(counts, [10.0, 10.0])


def test_resampling_in_blocks_changes_the_memory_not_the_answer(monkeypatch):
    values = np.random.default_rng(0).random(300)
    monkeypatch.setattr(stats, "_CELLS", 300 * 2000)
    whole = stats.bootstrap_interval(values)
    monkeypatch.setattr(stats, "_CELLS", 300 * 7)
    assert stats.bootstrap_interval(values) == whole


def test_statistics_over_subsets_share_the_resamples():
    rng = np.random.default_rng(0)
    values = rng.random(40)
    tagged = (np.arange(40) < 20).astype(float)
    sums = np.stack([values, values * tagged, np.zeros(40)], axis=1)
    counts = np.stack([np.ones(40), tagged, np.zeros(40)], axis=1)
    low, high = stats.bootstrap_means(sums, counts)
    assert (low[0], high[0]) == stats.bootstrap_interval(values)
    assert low[1] < values[:20].mean() < high[1]
    assert math.isnan(low[2])
    assert math.isnan(high[2])


def test_the_bootstrap_is_fast_enough_for_a_training_loop():
    values = np.random.default_rng(0).random(256)
    stats.bootstrap_interval(values)
    started = time.thread_time()
    for _ in range(5):
        stats.bootstrap_interval(values)
    assert (time.thread_time() - started) / 5 < 0.2  # about 0.02 s on an idle core


@pytest.mark.parametrize("values", [[], np.zeros((2, 2))])
def test_the_bootstrap_refuses_what_is_no_list(values):
    with pytest.raises(ConfigError, match="non-empty"):
        stats.bootstrap_interval(values)


def test_the_bootstrap_refuses_contradictions():
    with pytest.raises(ConfigError, match="2 values but 1"):
        stats.bootstrap_interval([1.0, 2.0], clusters=["a"])
    with pytest.raises(ConfigError, match="resamples"):
        stats.bootstrap_interval([1.0], resamples=0)
    with pytest.raises(ConfigError, match="level"):
        stats.bootstrap_interval([1.0], level=1.5)
    with pytest.raises(ConfigError, match="as many values"):
        stats.paired_difference([1.0], [1.0, 2.0])


# -- comparisons


def test_pairing_removes_the_spread_between_tasks():
    rng = np.random.default_rng(0)
    difficulty = rng.random(200)
    a, b = difficulty * 0.9, difficulty * 0.9 + 0.05
    paired = stats.paired_difference(a, b)
    assert paired.estimate == pytest.approx(0.05)
    assert 0.0499 < paired.low <= paired.high < 0.0501
    swapped = stats.paired_difference(b, a)
    assert swapped.estimate == pytest.approx(-0.05)


def test_mcnemar_gives_the_published_values():
    assert stats.mcnemar(1, 7) == pytest.approx(0.0703125)
    assert stats.mcnemar(0, 5) == pytest.approx(0.0625)
    assert stats.mcnemar(0, 0) == 1.0
    assert stats.mcnemar(5, 5) == 1.0
    assert stats.mcnemar(10, 30) == stats.mcnemar(30, 10)
    exact = 2 * sum(math.comb(40, i) for i in range(11)) / 2**40
    assert stats.mcnemar(10, 30) == pytest.approx(exact, rel=1e-12)
    with pytest.raises(ConfigError):
        stats.mcnemar(-1, 2)


@pytest.mark.parametrize(
    ("case", "low", "high"),
    # Newcombe 1998 (Statist. Med. 17:873), table II, method 10; signs follow b - a.
    [((48, 80, 56, 70), 0.0524, 0.3339), ((3, 10, 9, 10), 0.1705, 0.8090), ((0, 29, 5, 56), -0.0381, 0.1926)],
)
def test_newcombe_gives_the_published_values(case, low, high):
    result = stats.newcombe(*case)
    assert (result.low, result.high) == pytest.approx((low, high), abs=1.1e-4)


def test_newcombe_paired_gives_the_published_value_and_keeps_its_sense():
    result = stats.newcombe_paired(1, 7, 1, 12)
    assert tuple(result) == pytest.approx((-0.286, -0.507, -0.026), abs=5e-4)
    better = stats.newcombe_paired(both=50, only_a=5, only_b=25, neither=20)
    assert better.estimate == pytest.approx(0.2)
    assert 0 < better.low < 0.2 < better.high
    same = stats.newcombe_paired(10, 0, 0, 10)
    assert same.estimate == 0.0
    assert same.low <= 0 <= same.high
    with pytest.raises(ConfigError):
        stats.newcombe_paired(0, 0, 0, 0)
    with pytest.raises(ConfigError):
        stats.newcombe(0, 0, 1, 2)


# -- the beta function


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.01, 0.99))
def test_the_incomplete_beta_function_is_the_binomial_tail(a, b, x):
    # I_x(a, b) = P(Binomial(a + b - 1, x) >= a)
    n = a + b - 1
    tail = math.fsum(math.comb(n, j) * x**j * (1 - x) ** (n - j) for j in range(a, n + 1))
    assert stats.incomplete_beta(a, b, x) == pytest.approx(tail, abs=1e-12)


@given(st.floats(0.01, 0.99), st.floats(0.5, 200), st.floats(0.5, 200))
def test_the_quantile_inverts_the_distribution(p, a, b):
    assert stats.incomplete_beta(a, b, stats.beta_quantile(p, a, b)) == pytest.approx(p, abs=1e-9)


def test_the_incomplete_beta_function_at_its_ends():
    assert stats.incomplete_beta(2, 3, 0.0) == 0.0
    assert stats.incomplete_beta(2, 3, 1.0) == 1.0
    with pytest.raises(ConfigError):
        stats.incomplete_beta(0, 1, 0.5)
