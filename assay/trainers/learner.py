"""What turns played groups into better weights: shaping, advantages, samples, and the optimiser step.

Invariants:

* Filters have read the raw outcomes before any group comes here; shapers see what is left, the loss what they made
  of it.
* In a run of several processes all hold a share of the weights, and what the first one does with its learner all do
  with theirs (`distributed.py`).
* Each phase (warm start, reinforcement learning) has an optimiser of its own. The critic takes part in the second only,
  where a separate one starts from what the warm start learned.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from assay.agents.checkpoint import read_model
from assay.core.trajectory import Group, Sample
from assay.trainers import warmstart
from assay.trainers.algorithm import Algorithm
from assay.trainers.checkpoint import Phase, Progress, restore_checkpoint, save_checkpoint
from assay.trainers.config import TrainConfig
from assay.trainers.correction import correct
from assay.trainers.credit import ValueTargets, assign_gae
from assay.trainers.critic import Critic
from assay.trainers.losses import make_loss
from assay.trainers.parallel import DataParallel
from assay.trainers.policy import Policy, autocast_dtype
from assay.trainers.recompute import recompute_activations
from assay.trainers.replay import SuccessReplay
from assay.trainers.samples import assign_weights, build_samples
from assay.trainers.scoring import sample_logprobs, sample_values
from assay.trainers.sharding import shard_layers, whole_state
from assay.trainers.throughput import peak_flops, rates, step_flops
from assay.trainers.update import Updater

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ENGINE_NUMBERS = ("mismatch_kl", "ratio", "ratio_max")
"""Metrics that compare with the engine: true before the first of several epochs only."""


class Learner:
    """The learning side of a run."""

    def __init__(
        self,
        config: TrainConfig,
        algorithm: Algorithm,
        policy: Policy,
        phase: Phase,
        parallel: DataParallel | None = None,
    ) -> None:
        """Begin `phase`. With `parallel` the policy is shared out over its processes, in place."""
        self._parallel = parallel
        self._config, self._algorithm, self._policy = config, algorithm, policy
        self._reference: PreTrainedModel | None = None
        self._peak = peak_flops(policy.device, 1 if parallel is None else parallel.size)
        settings = config.algorithm.replay
        self.replay = None if settings is None else SuccessReplay(settings, seed=config.seed)
        if config.optim.activation_checkpointing:
            recompute_activations(policy.model)
        critic = config.algorithm.critic  # which takes part later, but can be copied from the policy only now
        self._critic = None if critic is None else Critic(critic, policy.model)
        if parallel is not None:
            shard_layers(policy.model)
            if self._critic is not None and self._critic.trunk is not None:
                shard_layers(self._critic.trunk)
        self.autocast = autocast_dtype(config.model)
        self._begin(phase)

    def begin(self, phase: Phase) -> None:
        """Begin a phase with a fresh optimiser: AdamW at the phase's own rate."""
        self._tell("begin", phase)
        self._begin(phase)

    def restore(self, checkpoint: Path) -> Progress:
        """Put everything that learns back as it was, and return the progress."""
        config = self._config
        values, fingerprint = config.model_dump(mode="json"), config.fingerprint
        progress = restore_checkpoint(checkpoint, self._policy, self.optimizer, values, fingerprint, critic=self.critic)
        self.updater.load_state_dict(progress.updater)
        self._algorithm.load_state_dict(progress.shapers)
        if self.replay is not None:
            self.replay.kept = {t.task_id: t for t in progress.replay}
        return progress

    def save(self, root: Path, progress: Progress) -> Path:
        """Write a checkpoint of this moment under `root` and return its path."""
        self._tell("gather")
        progress.updater, progress.shapers = self.updater.state_dict(), self._algorithm.state_dict()
        if self.replay is not None:
            progress.replay = list(self.replay.kept.values())
        config = self._config
        return save_checkpoint(
            root,
            self._policy,
            self.optimizer,
            progress,
            config.model_dump(mode="json"),
            config.fingerprint,
            keep=config.checkpoint.keep,
            critic=self.critic,
        )

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """Yield names and tensors of the plain model, what an engine loads."""
        self._tell("gather_weights")
        yield from self._policy.weights()

    def export(self, directory: Path) -> None:
        """Write a plain checkpoint directory."""
        self._tell("gather_weights")
        self._policy.export(directory)

    def gather_weights(self) -> None:
        """Take part in what the first process does in `weights` and `export`."""
        for _ in self._policy.weights():
            pass

    def gather(self) -> None:
        """Take part in what the first process does in `save`."""
        for _ in self._policy.saved():
            pass
        whole_state(self.optimizer, keep=False)
        for _ in () if self.critic is None else self.critic.weights():
            pass

    def _tell(self, name: str, *arguments: Any) -> None:
        """Let the other processes of the run call the same method: all of it is collective."""
        if self._parallel is not None and self._parallel.rank == 0:
            self._parallel.broadcast((name, arguments))

    def _begin(self, phase: Phase) -> None:
        config, optim, warming = self._config, self._config.optim, phase == "warmstart"
        self.critic = None if warming else self._critic
        rate = config.warmstart.learning_rate if warming else optim.learning_rate
        parameters: list[dict[str, Any]] = [{"params": self._policy.trainable(), "lr": rate}]
        if self.critic is not None:
            self.critic.start_from(self._policy.model)
            parameters.append({"params": self.critic.trainable(), "lr": self.critic.config.learning_rate})
        # Shares and whole tensors cannot be updated by one kernel for all.
        foreach = None if self._parallel is None else False
        self.optimizer = torch.optim.AdamW(
            parameters, betas=optim.betas, weight_decay=optim.weight_decay, foreach=foreach
        )
        self.updater = Updater(
            self._policy.model,
            self.optimizer,
            make_loss("nll") if warming else self._algorithm.loss,
            token_budget=optim.token_budget,
            layout=optim.layout,
            temperature=1.0 if warming else config.rollout.temperature,
            grad_clip=optim.grad_clip,
            entropy_coef=0.0 if warming else config.algorithm.entropy_coef,
            kl_coef=0.0 if warming else config.algorithm.kl_coef,
            autocast_dtype=self.autocast,
            schedule=self._warmstart_rate if warming else self._rate,
            parallel=self._parallel,
            critic=self.critic,
        )

    def keep_reference(self, directory: Path, *, first: bool) -> None:
        """Hold the policy as it was before the first step, which is now if `first`; nothing without a KL penalty."""
        if self._config.algorithm.kl_coef == 0:
            return
        if first:
            self.export(directory)
        self._tell("read_reference", directory)
        self.read_reference(directory)

    def read_reference(self, directory: Path) -> None:
        """Hold the policy that is written in `directory` as the reference."""
        self._reference = read_model(directory).to(self._policy.device).requires_grad_(False)

    def imitate(self, samples: Sequence[Sample]) -> dict[str, float]:
        """Take one supervised step."""
        self._tell("imitate", samples)
        return self.updater.step(samples)

    def learn(self, groups: Sequence[Group]) -> dict[str, float]:
        """Take the optimiser steps of one batch of groups and return what happened, as flat numbers."""
        self._tell("learn", groups)
        groups, shaped = self._algorithm.shape(groups)
        samples, targets, numbers = self._samples(groups)
        if self._config.algorithm.correction is not None and samples:
            numbers |= correct(samples, self._logprobs(self._policy.model, samples), self._config.algorithm.correction)
        reference = None if self._reference is None else self._logprobs(self._reference, samples)
        epochs, started = self._config.algorithm.epochs, time.perf_counter()
        first = self.updater.step(samples, reference, targets)
        last = first
        for _ in range(1, epochs):
            last = self.updater.step(samples, reference, targets)
        tokens, flops = sum(map(len, samples)), step_flops(self._policy.model, samples)
        numbers |= rates(epochs * tokens, epochs * flops, time.perf_counter() - started, self._peak)
        return {**last, **{name: first[name] for name in ENGINE_NUMBERS if name in first}, **numbers, **shaped}

    def _samples(self, groups: Sequence[Group]) -> tuple[list[Sample], ValueTargets | None, dict[str, float]]:
        """Return the weighted samples with their advantages, what a critic learns from, and metrics of it."""
        rollout, normalization = self._config.rollout, self._config.algorithm.normalization
        longest = rollout.episode_tokens or rollout.max_tokens
        samples = build_samples(
            groups, self._algorithm.advantage(groups), normalization=normalization, max_tokens=longest
        )
        targets: ValueTargets | None = None
        numbers: dict[str, float] = {}
        if self.critic is not None:
            targets, numbers = assign_gae(groups, samples, self._values(self.critic, samples), self.critic.config)
        if self.replay is not None:
            episodes = sum(len(group.scored) for group in groups)
            drawn, replayed = self.replay.draw(
                self.updater.steps, episodes, partial(self._logprobs, self._policy.model)
            )
            self.replay.add(groups)
            samples = assign_weights([*samples, *drawn], normalization, max_tokens=longest)
            targets, numbers = targets and targets.beside(drawn), numbers | replayed
        return samples, targets, numbers

    def _logprobs(self, model: Any, samples: Sequence[Sample]) -> list[Tensor]:
        return sample_logprobs(
            model,
            samples,
            token_budget=self._config.optim.token_budget,
            layout=self._config.optim.layout,
            temperature=self._config.rollout.temperature,
            autocast_dtype=self.autocast,
            parallel=self._parallel,
        )

    def _values(self, critic: Critic, samples: Sequence[Sample]) -> list[Tensor]:
        return sample_values(
            critic,
            self._policy.model,
            samples,
            token_budget=self._config.optim.token_budget,
            layout=self._config.optim.layout,
            autocast_dtype=self.autocast,
            parallel=self._parallel,
        )

    def _rate(self, step: int) -> float:
        return min(1.0, (step + 1) / max(self._config.optim.warmup_steps, 1))

    def _warmstart_rate(self, step: int) -> float:
        return warmstart.rate(step, self._config.warmstart.steps)
