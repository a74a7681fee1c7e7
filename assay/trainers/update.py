"""One optimiser step from weighted samples: for reinforcement learning and for supervised warm starts alike.

Invariants:

* The gradient is that of the plain sum of `weight * token_loss`; the token budget, the layout and the number of
  processes change speed and memory, and nothing else.
* A step whose gradient is not finite is skipped and counted; the weights stay as they were.
* On a CPU with a fixed number of threads a step is deterministic.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from assay.core.errors import ConfigError
from assay.core.trajectory import Sample
from assay.trainers.attention import fast_attention
from assay.trainers.logprobs import LanguageModel
from assay.trainers.losses.base import LossFn
from assay.trainers.losses.kl import kl_estimate, kl_loss
from assay.trainers.meters import Meters
from assay.trainers.packing import Layout, MicroBatch, micro_batches
from assay.trainers.parallel import DataParallel


class Updater:
    """Turns samples into optimiser steps."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        loss_fn: LossFn,
        *,
        token_budget: int = 2048,
        layout: Layout = "padded",
        temperature: float = 1.0,
        grad_clip: float = 1.0,
        entropy_coef: float = 0.0,
        kl_coef: float = 0.0,
        autocast_dtype: torch.dtype | None = None,
        schedule: Callable[[int], float] | None = None,
        parallel: DataParallel | None = None,
    ) -> None:
        """Prepare updates of `model`, a causal language model of transformers or its peft wrapper.

        `temperature` is the one that the samples were drawn at. `schedule` maps the number of steps taken so far to a
        factor on each learning rate that the optimiser came with. `entropy_coef` > 0 rewards entropy; `kl_coef` > 0
        holds the policy near a reference, by k3 times the differentiable ratio. A `token_budget` of about 2,000 is
        fastest on a CPU, where small batches stay in the cache; a GPU wants as many as fit.
        """
        if temperature <= 0:
            raise ConfigError(f"temperature must be positive in training, not {temperature}")
        self._lm = LanguageModel(model)
        self._optimizer, self._loss_fn = optimizer, loss_fn
        self._token_budget, self._layout, self._temperature = token_budget, layout, temperature
        self._grad_clip, self._entropy_coef, self._kl_coef = grad_clip, entropy_coef, kl_coef
        self._autocast_dtype, self._schedule, self._parallel = autocast_dtype, schedule, parallel
        self._parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self._base_rates = [float(group["lr"]) for group in optimizer.param_groups]
        self.steps = 0
        """Steps taken, skipped ones included."""
        self.skipped = 0
        """Steps skipped because their gradient was not finite."""

    def step(self, samples: Sequence[Sample], reference: Sequence[Tensor] | None = None) -> dict[str, float]:
        """Take one optimiser step on all of `samples` and return what happened, as flat numbers.

        `reference` holds, for each sample, the log-probabilities of its trainable tokens under the reference policy,
        as `sample_logprobs` returns them; needed exactly when `kl_coef` is not 0.

        With data parallelism every process passes the same samples. Without a trainable token nothing happens, and
        the only metric is `tokens`, 0.
        """
        if not any(sample.loss_mask.any() for sample in samples):
            return {"tokens": 0.0}
        meters = self.accumulate(samples, reference)
        norm = nn.utils.clip_grad_norm_(self._parameters, self._grad_clip)
        grad_norm = float(norm)
        rate = self._set_rates()
        finite = bool(torch.isfinite(norm))
        if finite:
            self._optimizer.step()
        else:
            self.skipped += 1
        self.steps += 1
        self._optimizer.zero_grad(set_to_none=True)
        return {
            **meters.read(),
            "grad_norm": grad_norm,
            "learning_rate": rate,
            "skipped": float(not finite),
            "skipped_total": float(self.skipped),
        }

    def accumulate(self, samples: Sequence[Sample], reference: Sequence[Tensor] | None = None) -> Meters:
        """Leave the gradient of the whole step in the parameters, summed over processes, without taking the step."""
        if (reference is None) != (self._kl_coef == 0):
            raise ValueError("the reference's log-probabilities are needed exactly when kl_coef is not 0")
        self._optimizer.zero_grad(set_to_none=True)
        mine = range(len(samples)) if self._parallel is None else self._parallel.share(samples)
        meters = Meters()
        with fast_attention(self._lm.model, enabled=self._autocast_dtype is not None):
            for batch in micro_batches([samples[n] for n in mine], self._token_budget, self._layout):
                there = None if reference is None else torch.cat([reference[mine[n]] for n in batch.samples])
                self._backward(batch.to(self._lm.device), there, meters)
        if self._parallel is not None:
            self._parallel.sum_gradients(self._parameters)
            meters = Meters.merged(self._parallel.gather(meters.state()))
        return meters

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs beside the model and the optimiser."""
        return {"steps": self.steps, "skipped": self.skipped, "base_rates": list(self._base_rates)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self.steps, self.skipped = int(state["steps"]), int(state["skipped"])
        self._base_rates = [float(rate) for rate in state["base_rates"]]

    def _backward(self, batch: MicroBatch, reference: Tensor | None, meters: Meters) -> None:
        with self._autocast():
            logprobs, entropy = self._lm.logprobs(
                batch, temperature=self._temperature, entropy_gradient=self._entropy_coef != 0
            )
        token_loss, diagnostics = self._loss_fn(logprobs, batch.old_logprobs, batch.advantages, batch.sequence_ids)
        if self._entropy_coef:
            token_loss = token_loss - self._entropy_coef * entropy
        if reference is not None:
            reference = reference.to(logprobs.device)
            token_loss = token_loss + self._kl_coef * kl_loss(logprobs, reference, batch.old_logprobs)
            diagnostics["reference_kl"] = kl_estimate(logprobs.detach(), reference)
        loss = (batch.weights * token_loss).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        meters.add(loss.detach(), {"entropy": entropy.detach(), **diagnostics})

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self._autocast_dtype is None:
            return contextlib.nullcontext()
        return torch.autocast(self._lm.device.type, dtype=self._autocast_dtype)

    def _set_rates(self) -> float:
        factor = 1.0 if self._schedule is None else self._schedule(self.steps)
        for group, base in zip(self._optimizer.param_groups, self._base_rates, strict=True):
            group["lr"] = base * factor
        return self._base_rates[0] * factor


@torch.no_grad()
def sample_logprobs(
    model: nn.Module,
    samples: Sequence[Sample],
    *,
    token_budget: int = 8192,
    layout: Layout = "padded",
    temperature: float = 1.0,
    autocast_dtype: torch.dtype | None = None,
) -> list[Tensor]:
    """Return the model's log-probability of each sample's trainable tokens, one float32 tensor [N_i] on the CPU each.

    What a reference model, a second epoch's proximal policy, or a check of an engine needs.
    """
    lm = LanguageModel(model)
    out: list[Tensor] = [torch.zeros(0) for _ in samples]
    for batch in micro_batches(samples, token_budget, layout):
        moved = batch.to(lm.device)
        with contextlib.nullcontext() if autocast_dtype is None else torch.autocast(lm.device.type, autocast_dtype):
            logprobs, _ = lm.logprobs(moved, temperature=temperature)
        sizes = torch.bincount(batch.sequence_ids, minlength=len(batch.samples)).tolist()
        for number, values in zip(batch.samples, torch.split(logprobs.cpu(), sizes), strict=True):
            out[number] = values
    return out
