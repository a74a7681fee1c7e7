from __future__ import annotations

import numpy as np
import pytest
import torch

from assay.core.trajectory import Sample
from assay.trainers.algorithm_config import CorrectionConfig
from assay.trainers.correction import correct
from assay.trainers.losses import make_loss
from assay.trainers.samples import assign_weights
from assay.trainers.scoring import sample_logprobs
from assay.trainers.update import Updater
from tests.trainers.builders import random_samples, tiny_model


def two_tokens(engine: tuple[float, float]) -> list[Sample]:
    """One sample with a context token and two trainable ones, each of weight 0.5."""
    mask = np.array([False, True, True])
    zeros = np.zeros(3, np.float32)
    logprobs = np.array([0.0, *engine], np.float32)
    turns = np.array([-1, 0, 0], np.int32)
    return assign_weights([Sample(np.arange(3), mask, logprobs, zeros.copy(), zeros.copy(), turns)])


@pytest.mark.parametrize(("outside", "bounded"), [("truncate", 2.0), ("mask", 0.0)])
def test_weights_are_bounded_and_the_loss_compares_with_the_trainer(outside: str, bounded: float) -> None:
    samples = two_tokens((-1.0, -3.0))
    trainer = torch.tensor([-1.0 + float(np.log(1.5)), -1.0])  # 1.5 and 7.4 times as likely
    numbers = correct(samples, [trainer], CorrectionConfig(outside=outside))  # type: ignore[arg-type]
    assert samples[0].weights.tolist() == pytest.approx([0, 0.75, 0.5 * bounded])
    assert samples[0].logprobs.tolist() == pytest.approx([0, float(trainer[0]), -1.0])
    assert numbers["tis_outside"] == 0.5
    assert numbers["tis"] == pytest.approx((1.5 + bounded) / 2)
    assert numbers["ratio_max"] == pytest.approx(np.exp(2.0), rel=1e-5)
    assert numbers["mismatch_kl"] > 1


def test_sequences_are_weighted_by_their_geometric_mean() -> None:
    samples = two_tokens((-1.0, -3.0))
    correct(samples, [torch.tensor([-1.5, -2.5])], CorrectionConfig(level="sequence"))
    assert samples[0].weights.tolist() == pytest.approx([0, 0.5, 0.5])


def test_engines_that_agree_change_nothing() -> None:
    model, samples = tiny_model(), assign_weights(random_samples(8))
    known = sample_logprobs(model, samples)
    for sample, logprobs in zip(samples, known, strict=True):
        sample.logprobs[sample.loss_mask] = logprobs.numpy()
    before = [sample.weights.copy() for sample in samples]
    numbers = correct(samples, known, CorrectionConfig())
    assert all(np.array_equal(a, sample.weights) for a, sample in zip(before, samples, strict=True))
    assert numbers["mismatch_kl"] == 0 and numbers["tis_outside"] == 0


def test_a_mismatch_is_not_clipped_as_if_the_policy_had_moved() -> None:
    model, samples = tiny_model(), assign_weights(random_samples(8))
    known = sample_logprobs(model, samples)
    for sample, logprobs in zip(samples, known, strict=True):
        sample.logprobs[sample.loss_mask] = logprobs.numpy() - 0.5
    updater = Updater(model, torch.optim.AdamW(model.parameters(), lr=0.0), make_loss("ppo_clip"))
    assert updater.step(samples)["clip_fraction"] > 0.1
    correct(samples, known, CorrectionConfig())
    assert updater.step(samples)["clip_fraction"] == 0
