"""One optimiser step from weighted samples: for reinforcement learning and for supervised warm starts alike.

Invariants:

* The gradient is that of the plain sum of `weight * token_loss`; the token budget, the layout and the number of
  processes change speed and memory, and nothing else.
* A step whose gradient is not finite is skipped and counted; the weights stay as they were.
* On a CPU with a fixed number of threads a step is deterministic.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from assay.core.errors import ConfigError
from assay.core.trajectory import Sample
from assay.trainers.attention import training_attention
from assay.trainers.credit import ValueTargets
from assay.trainers.critic import Critic
from assay.trainers.logprobs import LanguageModel
from assay.trainers.losses.base import LossFn
from assay.trainers.losses.kl import kl_estimate, kl_loss
from assay.trainers.losses.value import value_clip
from assay.trainers.meters import Meters
from assay.trainers.packing import Layout, MicroBatch, micro_batches
from assay.trainers.parallel import DataParallel
from assay.trainers.sharding import is_sharded


class Updater:
    """Turns samples into optimiser steps."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        loss_fn: LossFn,
        *,
        token_budget: int = 2048,
        layout: Layout = "shared",
        temperature: float = 1.0,
        grad_clip: float = 1.0,
        entropy_coef: float = 0.0,
        kl_coef: float = 0.0,
        autocast_dtype: torch.dtype | None = None,
        schedule: Callable[[int], float] | None = None,
        parallel: DataParallel | None = None,
        critic: Critic | None = None,
    ) -> None:
        """Prepare updates of `model`, a causal language model of transformers or its peft wrapper.

        `temperature` is the one that the samples were drawn at. `schedule` maps the number of steps taken so far to a
        factor on each learning rate that the optimiser came with. `entropy_coef` > 0 rewards entropy; `kl_coef` > 0
        holds the policy near a reference, by k3 times the differentiable ratio. A `token_budget` of about 2,000 is
        fastest on a CPU, where small batches stay in the cache; a GPU wants as many as fit. A model that cannot take
        the layout `shared` gets `padded`. A `critic` learns from the same pass; its parameters are the optimiser's
        second group, clipped by themselves.
        """
        if temperature <= 0:
            raise ConfigError(f"temperature must be positive in training, not {temperature}")
        self._lm = LanguageModel(model)
        self._optimizer, self._loss_fn = optimizer, loss_fn
        self._token_budget, self._layout, self._temperature = token_budget, self._lm.layout(layout), temperature
        self._grad_clip, self._entropy_coef, self._kl_coef = grad_clip, entropy_coef, kl_coef
        self._autocast_dtype, self._schedule, self._critic = autocast_dtype, schedule, critic
        self._parallel = parallel
        self._sharing = parallel if any(is_sharded(p) for g in optimizer.param_groups for p in g["params"]) else None
        """The processes, if each holds but a share of the weights."""
        self._base_rates = [float(group["lr"]) for group in optimizer.param_groups]
        self.steps = 0
        """Steps taken, skipped ones included."""
        self.skipped = 0
        """Steps skipped because their gradient was not finite."""

    @property
    def _warming_up(self) -> bool:
        """Whether only the critic learns, and the policy stays as it is."""
        return self._critic is not None and self.steps < self._critic.config.warmup_steps

    def step(
        self,
        samples: Sequence[Sample],
        reference: Sequence[Tensor] | None = None,
        targets: ValueTargets | None = None,
    ) -> dict[str, float]:
        """Take one optimiser step on all of `samples` and return what happened, as flat numbers.

        `reference` holds, for each sample, the log-probabilities of its trainable tokens under the reference policy,
        as `sample_logprobs` returns them; needed exactly when `kl_coef` is not 0. `targets` is what the critic learns
        from; needed exactly when there is one.

        With data parallelism every process passes the same samples. Without a trainable token nothing happens, and
        the only metric is `tokens`, 0.
        """
        if not any(sample.loss_mask.any() for sample in samples):
            return {"tokens": 0.0}
        meters = self.accumulate(samples, reference, targets)
        norms = [self._clip(group["params"]) for group in self._optimizer.param_groups]
        rate = self._set_rates()
        finite = all(map(math.isfinite, norms))
        if finite:
            self._optimizer.step()
        else:
            self.skipped += 1
        self.steps += 1
        self._optimizer.zero_grad(set_to_none=True)
        return {
            **meters.read(),
            "grad_norm": norms[0],
            **({} if self._critic is None else {"critic_grad_norm": norms[1]}),
            "learning_rate": rate,
            "skipped": float(not finite),
            "skipped_total": float(self.skipped),
        }

    def accumulate(
        self,
        samples: Sequence[Sample],
        reference: Sequence[Tensor] | None = None,
        targets: ValueTargets | None = None,
    ) -> Meters:
        """Leave the gradient of the whole step in the parameters, summed over processes, without taking the step."""
        if (reference is None) != (self._kl_coef == 0):
            raise ValueError("the reference's log-probabilities are needed exactly when kl_coef is not 0")
        if (targets is None) != (self._critic is None):
            raise ValueError("value targets are needed exactly when there is a critic")
        self._optimizer.zero_grad(set_to_none=True)
        mine = range(len(samples)) if self._parallel is None else self._parallel.share(samples)
        meters = Meters()
        batches = self._plan(samples, mine)
        passes = len(batches) if self._sharing is None else self._sharing.passes(len(batches))
        with self._attention():
            for number, (batch, members) in enumerate(batches):
                outputs, slopes = self._forward(batch.to(self._lm.device), members, reference, targets, meters)
                # Without a slope nothing would be added. The first pass makes sure that there is a gradient at all, and
                # where weights are shared out all processes go through every pass together.
                if number == 0 or self._sharing or any(bool(slope.any()) for slope in slopes):
                    torch.autograd.backward(outputs, slopes)
            for _ in range(len(batches), passes):
                self._idle_pass(samples, reference, targets)
        if self._parallel is not None:
            learning = self._optimizer.param_groups[1 if self._warming_up else 0 :]
            self._parallel.sum_gradients(p for group in learning for p in group["params"])
            meters = Meters.merged(self._parallel.gather(meters.state()))
        return meters

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs beside the model and the optimiser."""
        return {"steps": self.steps, "skipped": self.skipped, "base_rates": list(self._base_rates)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self.steps, self.skipped = int(state["steps"]), int(state["skipped"])
        self._base_rates = [float(rate) for rate in state["base_rates"]]

    def _plan(self, samples: Sequence[Sample], mine: Sequence[int]) -> list[tuple[MicroBatch, list[int]]]:
        """Return micro-batches with the numbers of their samples; those whose advantages are all 0 keep apart, last."""
        parts: tuple[list[int], list[int]] = ([], [])
        for number in mine:
            parts[not samples[number].advantages.any()].append(number)
        return [
            (batch, [part[place] for place in batch.samples])
            for part in parts
            for batch in micro_batches([samples[number] for number in part], self._token_budget, self._layout)
        ]

    def _forward(
        self,
        batch: MicroBatch,
        members: Sequence[int],
        reference: Sequence[Tensor] | None,
        targets: ValueTargets | None,
        meters: Meters,
    ) -> tuple[list[Tensor], Sequence[Tensor]]:
        """Compute the loss of one micro-batch, whose samples have these numbers in the lists of the step.

        Returns what the model gave, and the slopes of the loss there.
        """

        def column(rows: Sequence[Tensor]) -> Tensor:
            return torch.cat([rows[n] for n in members]).to(self._lm.device, non_blocking=True)

        frozen = self._warming_up
        with self._lm.autocast(self._autocast_dtype), torch.set_grad_enabled(not frozen):
            states = self._lm.states(batch)
            logprobs, entropy = self._lm.logprobs(
                batch, states, temperature=self._temperature, entropy_gradient=self._entropy_coef != 0
            )
        token_loss, diagnostics = self._loss_fn(logprobs, batch.old_logprobs, batch.advantages, batch.sequence_ids)
        if self._entropy_coef:
            token_loss = token_loss - self._entropy_coef * entropy
        if reference is not None:
            there = column(reference)
            token_loss = token_loss + self._kl_coef * kl_loss(logprobs, there, batch.old_logprobs)
            diagnostics["reference_kl"] = kl_estimate(logprobs.detach(), there)
        policy_loss = (batch.weights * token_loss).sum()
        sums = {"loss": policy_loss.detach()}
        loss, outputs = policy_loss, [logprobs, entropy]
        if self._critic is not None and targets is not None:
            with self._lm.autocast(self._autocast_dtype):
                values = self._critic.values(batch, states, detach=frozen)
            errors, shares = value_clip(
                values, column(targets.values), column(targets.returns), clip=self._critic.config.clip
            )
            weights = column(targets.weights)
            value_loss = (weights * errors).sum()
            sums["value_loss"] = value_loss.detach()
            sums |= {name: (weights * share).sum() for name, share in shares.items()}  # means: the weights sum to 1
            loss = self._critic.config.coef * value_loss + (0.0 if frozen else policy_loss)
            outputs.append(values)
        meters.add(sums, {"entropy": entropy.detach(), **diagnostics})
        learned = [output for output in outputs if output.requires_grad]
        return learned, torch.autograd.grad(loss, learned)

    def _idle_pass(
        self, samples: Sequence[Sample], reference: Sequence[Tensor] | None, targets: ValueTargets | None
    ) -> None:
        """Join the others' forward and backward pass with nothing of one's own: any sample, and slopes of 0."""
        number = next(n for n, sample in enumerate(samples) if sample.loss_mask.any())
        ((batch, members),) = self._plan(samples, [number])
        outputs, slopes = self._forward(batch.to(self._lm.device), members, reference, targets, Meters())
        torch.autograd.backward(outputs, [torch.zeros_like(slope) for slope in slopes])

    def _clip(self, parameters: Sequence[nn.Parameter]) -> float:
        if self._sharing is not None:
            return self._sharing.clip(parameters, self._grad_clip)
        return float(nn.utils.clip_grad_norm_(parameters, self._grad_clip))

    @contextlib.contextmanager
    def _attention(self) -> Iterator[None]:
        options = {"shared": self._layout == "shared", "upcast": self._autocast_dtype is not None}
        critic = contextlib.nullcontext() if self._critic is None else self._critic.attending(**options)
        with training_attention(self._lm.model, **options), critic:
            yield

    def _set_rates(self) -> float:
        factor = 1.0 if self._schedule is None else self._schedule(self.steps)
        for group, base in zip(self._optimizer.param_groups, self._base_rates, strict=True):
            group["lr"] = base * factor
        return self._base_rates[0] * factor
