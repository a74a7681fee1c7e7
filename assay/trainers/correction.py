"""Three policies: what to do when the engine that sampled and the trainer before the update disagree.

Without a correction the loss compares the policy with the engine, and the clip counts their disagreement as movement.
With one, the loss compares with the trainer's own policy of before the update, and every token is weighted by how much
likelier that policy finds it than the engine did, bounded (`losses/tis.py`). It costs one more forward pass.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from assay.core.trajectory import Sample
from assay.trainers.algorithm_config import CorrectionConfig
from assay.trainers.losses.base import log_ratio, ratio_diagnostics
from assay.trainers.losses.tis import tis_weights


def correct(samples: Sequence[Sample], trainer: Sequence[Tensor], config: CorrectionConfig) -> dict[str, float]:
    """Weight the samples' tokens, and let the loss compare with `trainer`; in place. Return metrics.

    `trainer` holds the trainer's log-probability of each trainable token of each sample. The metrics show the
    disagreement itself (`mismatch_kl`, `ratio`, `ratio_max`), before any bound hides it, the mean weight `tis`, and
    the share of tokens out of bounds, `tis_outside`.
    """
    engine = [torch.from_numpy(sample.logprobs[sample.loss_mask]) for sample in samples]
    sizes = [len(part) for part in engine]
    old, mu = torch.cat(list(trainer)), torch.cat(engine)
    owners = torch.repeat_interleave(torch.arange(len(samples)), torch.tensor(sizes))
    options = {"level": config.level, "upper": config.upper, "lower": config.lower, "outside": config.outside}
    weights = tis_weights(old, mu, owners, **options)  # type: ignore[arg-type]
    unbounded = tis_weights(old, mu, owners, level=config.level, upper=float("inf"))
    for sample, weight, own in zip(samples, torch.split(weights, sizes), trainer, strict=True):
        sample.weights[sample.loss_mask] *= weight.numpy()
        sample.logprobs[sample.loss_mask] = own.numpy().astype(np.float32)
    seen = ratio_diagnostics(log_ratio(old, mu))
    return {
        "mismatch_kl": float(seen["mismatch_kl"].mean()),
        "ratio": float(seen["ratio"].mean()),
        "ratio_max": float(seen["ratio_max"].max()),
        "tis": float(weights.mean()),
        "tis_outside": float((weights != unbounded).float().mean()),
    }
