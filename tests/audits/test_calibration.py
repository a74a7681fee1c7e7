import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audits.calibration import auroc, average_precision, calibrate, calibrate_trials, reliability, threshold_at_fp
from assay.core.errors import ConfigError


def test_auroc_by_hand():
    assert auroc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]) == 0.75
    assert auroc([0.5, 0.5], [0, 1]) == 0.5
    assert auroc([0.5, 0.6], [1, 1]) is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.7, 1.0]), st.booleans()), min_size=2, max_size=40))
def test_auroc_is_the_share_of_ordered_pairs(rows):
    scores, labels = [s for s, _ in rows], [y for _, y in rows]
    right, wrong = [s for s, y in rows if y], [s for s, y in rows if not y]
    if not right or not wrong:
        assert auroc(scores, labels) is None
        return
    pairs = [(a > b) + 0.5 * (a == b) for a in right for b in wrong]
    assert auroc(scores, labels) == pytest.approx(np.mean(pairs))


def test_average_precision_by_hand():
    assert average_precision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]) == pytest.approx(0.8333, abs=1e-4)
    assert average_precision([0.5, 0.5, 0.5, 0.5], [1, 0, 0, 1]) == 0.5


def test_calibrated_scores_have_no_calibration_error():
    rng = np.random.default_rng(0)
    p = rng.random(40_000)
    honest = calibrate(p, rng.random(p.size) < p)
    assert honest.ece < 0.01
    assert honest.brier == pytest.approx(1 / 6, abs=0.005)
    sure = calibrate(np.clip(2 * p - 0.5, 0, 1), rng.random(p.size) < p)
    assert sure.ece == pytest.approx(0.125, abs=0.02)
    assert abs(sure.auroc - honest.auroc) < 0.02


def test_bins_have_equal_mass_and_never_split_ties():
    table = reliability([0.1] * 50 + [0.2] * 3 + [0.9] * 47, [0] * 53 + [1] * 47, bins=10)
    assert [(b.low, b.high, b.n) for b in table] == [(0.1, 0.1, 50), (0.2, 0.2, 3), (0.9, 0.9, 47)]
    assert sum(b.n for b in reliability(np.linspace(0, 1, 103), [0, 1] * 51 + [0])) == 103


def test_scores_that_are_no_probabilities_only_rank():
    result = calibrate([-3.0, 1.0, 5.0, 9.0], [0, 0, 1, 1])
    assert (result.auroc, result.ece, result.brier, result.bins) == (1.0, None, None, ())


def test_the_threshold_keeps_its_level():
    """The true false-positive rate at the chosen threshold exceeds the target in at most 5 % of samples."""
    rng = np.random.default_rng(1)
    broken = chosen = 0
    for _ in range(150):
        scores = np.concatenate([rng.random(300), rng.random(100) ** 0.3])
        labels = np.repeat([0, 1], [300, 100])
        best = threshold_at_fp(scores, labels, 0.05)
        if best is not None:
            chosen += 1
            broken += 1 - best.threshold > 0.05
    assert chosen > 140
    assert broken / chosen < 0.1


def test_a_threshold_may_not_exist():
    assert threshold_at_fp([0.1, 0.2, 0.9], [0, 0, 1], 0.01) is None
    best = threshold_at_fp([0.1] * 400 + [0.9] * 10, [0] * 400 + [1] * 10, 0.01)
    assert (best.threshold, best.fp_rate, best.tp_rate) == (0.9, 0.0, 1.0)


@pytest.mark.parametrize(
    ("scores", "labels", "says"),
    [
        ([0.1], [0, 1], "one length"),
        ([np.nan, 1], [0, 1], "finite"),
        ([0.1, 1], [0, 2], "0 or 1"),
        ([], [], "one length"),
    ],
)
def test_bad_input(scores, labels, says):
    with pytest.raises(ConfigError, match=says):
        calibrate(scores, labels)


def test_from_trials():
    from assay.audits.adapters import resolve
    from assay.audits.case import Case
    from assay.audits.trials import run_cases

    def length(completion, answer):
        return len(completion) / 10 if completion != "skip" else None

    cases = [Case("a", "x", "12345678", True), Case("b", "x", "1", False), Case("c", "x", "skip", True)]
    trials = run_cases(resolve(length), [*cases, Case("d", "x", "123", False)])
    result = calibrate_trials(trials)
    assert (result.n, result.auroc) == (3, 1.0)
    assert result.threshold is None  # two wrong answers show nothing about a rate below 1 %
    assert calibrate_trials(trials, target_fp=0.8).threshold.threshold == 0.8
    assert calibrate_trials(trials[:2]) is None  # two scores: yes and no
