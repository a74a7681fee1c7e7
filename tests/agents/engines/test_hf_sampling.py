"""Sampling: the stream of uniforms, the distribution, its truncations, and the log-probabilities that are told."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")
pytest.importorskip("transformers", reason="transformers is not installed (extra: train)")

from assay.agents.engines.base import SamplingParams  # noqa: E402
from assay.agents.engines.hf_sampling import sample, uniforms  # noqa: E402


def stream(seed: int, count: int) -> Any:
    return uniforms(np.full(count, seed, np.uint64), np.arange(count, dtype=np.uint64))


def test_uniforms_are_uniform_and_inside_the_interval() -> None:
    numbers = stream(7, 100_000)
    assert 0.0 < numbers.min() < numbers.max() < 1.0
    counts = np.histogram(numbers, bins=50, range=(0, 1))[0]
    assert ((counts - 2000) ** 2 / 2000).sum() < 86  # chi-square, 49 degrees of freedom, 99.9 %
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.015


def test_streams_of_neighbouring_seeds_have_nothing_in_common() -> None:
    """With the seed added to the counter, the stream of seed + 1 would be that of seed, shifted by one."""
    first, second = stream(10, 5000), stream(11, 5000)
    assert len(np.intersect1d(first, second)) == 0
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05
    by_seed = uniforms(np.arange(100_000, dtype=np.uint64), np.zeros(100_000, np.uint64))
    counts = np.histogram(by_seed, bins=50, range=(0, 1))[0]
    assert ((counts - 2000) ** 2 / 2000).sum() < 86


def test_the_whole_range_of_seeds_works() -> None:
    seeds = np.array([0, 2**63 - 1, 2**64 - 1], np.uint64)
    assert len(set(uniforms(seeds, np.zeros(3, np.uint64)))) == 3


LOGITS = [2.0, 1.0, 0.0, -1.0, -math.inf]


def draw(setting: SamplingParams, count: int = 20_000) -> tuple[Any, Any]:
    logits = torch.tensor(LOGITS).expand(count, -1)
    tokens, logprobs = sample(logits, [setting] * count, stream(3, count))
    return np.array(tokens), np.array(logprobs)


def softmax(logits: Any) -> Any:
    e = np.exp(np.array(logits) - max(logits))
    return e / e.sum()


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (SamplingParams(), softmax(LOGITS)),
        (SamplingParams(temperature=0.5), softmax([2 * x for x in LOGITS])),
        (SamplingParams(top_k=2), [*softmax([2.0, 1.0]), 0, 0, 0]),
        (SamplingParams(top_p=0.6), [1, 0, 0, 0, 0]),  # the first has 0.644
        (SamplingParams(top_p=0.7), [*softmax([2.0, 1.0]), 0, 0, 0]),
        (SamplingParams(min_p=0.2), [*softmax([2.0, 1.0]), 0, 0, 0]),  # 0.368 of the largest stays, 0.135 goes
        (SamplingParams(top_k=3, top_p=0.9), [*softmax([2.0, 1.0]), 0, 0, 0]),  # of three, two have 0.91
        (SamplingParams(temperature=2.0, top_k=1), [1, 0, 0, 0, 0]),
        (SamplingParams(top_k=50), softmax(LOGITS)),
    ],
)
def test_tokens_follow_the_distribution_and_logprobs_are_its_own(setting: SamplingParams, expected: Any) -> None:
    tokens, logprobs = draw(setting)
    frequency = np.bincount(tokens, minlength=5) / len(tokens)
    assert np.abs(frequency - expected).max() < 0.015
    assert not frequency[np.array(expected) == 0].any()
    np.testing.assert_allclose(np.exp(logprobs), np.array(expected)[tokens], rtol=1e-5)


def test_greedy_takes_the_best_and_tells_its_probability_at_temperature_one() -> None:
    tokens, logprobs = draw(SamplingParams(temperature=0.0, top_k=2), 10)
    assert set(tokens) == {0}
    np.testing.assert_allclose(np.exp(logprobs), softmax(LOGITS)[0], rtol=1e-6)


def test_rows_have_settings_of_their_own() -> None:
    settings = [SamplingParams(temperature=0.0), SamplingParams(top_k=1), SamplingParams(temperature=0.5)]
    tokens, logprobs = sample(torch.tensor([LOGITS] * 3), settings, np.array([0.999, 0.999, 1e-9]))
    assert tokens == [0, 0, 0]
    np.testing.assert_allclose(
        np.exp(logprobs), [softmax(LOGITS)[0], 1.0, softmax([2 * x for x in LOGITS])[0]], rtol=1e-5
    )


def test_tokens_without_probability_are_never_drawn() -> None:
    logits = torch.tensor([[-math.inf, 0.0, -math.inf]]).expand(3, -1)
    tokens, _ = sample(logits, [SamplingParams()] * 3, np.array([2.0**-49, 0.5, 1 - 2.0**-49]))
    assert tokens == [1, 1, 1]


def test_logits_that_are_not_finite_show() -> None:
    logits = torch.tensor([[math.nan, 0.0], [0.0, 0.0]])
    _, logprobs = sample(logits, [SamplingParams()] * 2, np.array([0.5, 0.5]))
    assert math.isnan(logprobs[0])
    assert logprobs[1] == pytest.approx(math.log(0.5))
