import numpy as np
import pytest

from assay.audits.calibration import auroc
from assay.audits.step_scores import calibrate_steps
from assay.core.errors import ConfigError


def solutions(problems, copies, seed=0):
    """Solutions whose steps are good or bad together with the problem, so that copies of one say nothing new."""
    rng = np.random.default_rng(seed)
    scores, labels, names = [], [], []
    for problem in range(problems):
        good = bool(rng.random() < 0.5)
        score = float(np.clip(0.5 + 0.1 * good + 0.2 * rng.normal(), 0, 1))
        for _ in range(copies):
            scores.append([score, score])
            labels.append([good, good])
            names.append(problem)
    return scores, labels, names


def test_steps_are_pooled_and_unlabelled_ones_left_out():
    found = calibrate_steps([[0.9, 0.2], [0.8, 0.1]], [[True, None], [True, False]])
    assert (found.n, found.positives, found.auroc) == (3, 2, 1.0)
    assert found.auroc == auroc([0.9, 0.8, 0.1], [1, 1, 0])


def test_copies_of_a_problem_do_not_narrow_the_interval():
    once = calibrate_steps(*solutions(60, 1)[:2], problems=solutions(60, 1)[2]).auroc_interval
    scores, labels, names = solutions(60, 10)
    often = calibrate_steps(scores, labels, problems=names).auroc_interval
    alone = calibrate_steps(scores, labels).auroc_interval
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.2)
    assert alone.high - alone.low < 0.6 * (once.high - once.low), "which taking copies for problems would do"


def test_the_interval_covers_as_often_as_it_says():
    truth = auroc(*(np.concatenate(column) for column in solutions(20_000, 1)[:2]))
    held = 0
    for seed in range(60):
        scores, labels, names = solutions(60, 3, seed + 1)
        low, high = calibrate_steps(scores, labels, problems=names, resamples=200, seed=seed).auroc_interval
        held += low <= truth <= high
    assert 51 <= held <= 60  # 60 draws at 93 to 95 %: fewer than 51 has a probability below 0.5 %


def test_mistakes_are_explained():
    with pytest.raises(ConfigError, match="one label for each"):
        calibrate_steps([[0.5]], [[True, False]])
    with pytest.raises(ConfigError, match="one label for each"):
        calibrate_steps([[0.5]], [[True]], problems=[1, 2])
    assert calibrate_steps([[0.5]], [[True]]).auroc is None
