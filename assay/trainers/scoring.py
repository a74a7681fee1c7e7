"""What a model says of samples without learning from them: log-probabilities, and a critic's values.

Several processes that are given the same samples take the passes in turns and tell each other what came out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from assay.core.trajectory import Sample
from assay.trainers.attention import training_attention
from assay.trainers.critic import Critic
from assay.trainers.logprobs import LanguageModel
from assay.trainers.packing import Layout, MicroBatch, micro_batches
from assay.trainers.parallel import DataParallel


def sample_logprobs(
    model: nn.Module,
    samples: Sequence[Sample],
    *,
    token_budget: int = 8192,
    layout: Layout = "shared",
    temperature: float = 1.0,
    autocast_dtype: torch.dtype | None = None,
    parallel: DataParallel | None = None,
) -> list[Tensor]:
    """Return the model's log-probability of each sample's trainable tokens, one float32 tensor [N_i] on the CPU each.

    What a reference model, a second epoch's proximal policy, or a check of an engine needs.
    """
    lm = LanguageModel(model)

    def score(batch: MicroBatch) -> Tensor:
        return lm.logprobs(batch, temperature=temperature)[0]

    return _score(score, lm, samples, token_budget, layout, autocast_dtype, parallel)


def sample_values(
    critic: Critic,
    model: nn.Module,
    samples: Sequence[Sample],
    *,
    token_budget: int = 8192,
    layout: Layout = "shared",
    autocast_dtype: torch.dtype | None = None,
    parallel: DataParallel | None = None,
) -> list[Tensor]:
    """Return the critic's value before each sample's trainable tokens, one float32 tensor [N_i] on the CPU each."""
    lm = LanguageModel(model)

    def score(batch: MicroBatch) -> Tensor:
        states = lm.states(batch) if critic.trunk is None else torch.empty(0)
        return critic.values(batch, states)

    with critic.attending(shared=lm.layout(layout) == "shared", upcast=autocast_dtype is not None):
        return _score(score, lm, samples, token_budget, layout, autocast_dtype, parallel)


@torch.no_grad()
def _score(
    score: Callable[[MicroBatch], Tensor],
    lm: LanguageModel,
    samples: Sequence[Sample],
    token_budget: int,
    layout: Layout,
    autocast_dtype: torch.dtype | None,
    parallel: DataParallel | None,
) -> list[Tensor]:
    device, layout = lm.device, lm.layout(layout)
    batches = micro_batches(samples, token_budget, layout)
    rank, processes = (0, 1) if parallel is None else (parallel.rank, parallel.size)
    scores: dict[int, Tensor] = {}
    with training_attention(lm.model, shared=layout == "shared", upcast=autocast_dtype is not None):
        for start in range(0, len(batches), processes):
            number = min(start + rank, len(batches) - 1)  # all make as many passes: see sharding.py
            with lm.autocast(autocast_dtype):
                scores[number] = score(batches[number].to(device)).float().cpu()
    for others in () if parallel is None else parallel.gather(scores):
        scores |= others
    out: list[Tensor] = [torch.zeros(0) for _ in samples]
    for number, batch in enumerate(batches):
        sizes = torch.bincount(batch.sequence_ids, minlength=len(batch.samples)).tolist()
        for place, values in zip(batch.samples, torch.split(scores[number], sizes), strict=True):
            out[place] = values
    return out
