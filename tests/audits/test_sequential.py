from itertools import pairwise

import numpy as np
import pytest

from assay.audits.sequential import SequentialRate
from assay.core.errors import ConfigError


@pytest.mark.parametrize("p", [0.0, 0.02, 0.3, 0.9])
def test_the_interval_holds_at_all_times_together(p):
    rng = np.random.default_rng(int(p * 100))
    missed = 0
    for _ in range(60):
        rate = SequentialRate()
        missed += not all(low <= p <= high for low, high in (rate.update(float(x)) for x in rng.random(200) < p))
    assert missed / 60 <= 0.1


def test_it_narrows_and_decides():
    rate = SequentialRate()
    widths = []
    for i in range(600):
        low, high = rate.update(float(i % 20 == 0))
        widths.append(high - low)
    assert all(b <= a + 1e-12 for a, b in pairwise(widths))
    assert rate.mean == pytest.approx(0.05)
    assert rate.decide(0.2) == "below"
    assert rate.decide(0.001) == "above"
    assert rate.decide(0.05) is None


def test_weighted_observations():
    rate = SequentialRate(bound=4.0)
    for i in range(500):
        rate.update(4.0 if i % 40 == 0 else 0.0)
    low, high = rate.interval
    assert low <= 0.1 <= high < 0.6


def test_a_resumed_sequence_is_the_same():
    first, second = SequentialRate(), SequentialRate()
    for i in range(50):
        first.update(float(i % 7 == 0))
    second.load_state_dict(first.state_dict())
    assert first.update(1.0) == second.update(1.0)


def test_bad_input():
    with pytest.raises(ConfigError, match="lies in"):
        SequentialRate().update(2.0)
    with pytest.raises(ConfigError, match="level"):
        SequentialRate(level=95)
