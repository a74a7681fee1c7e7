"""TrainConfig: everything that decides a training run, and nothing else.

Invariants:

* The resolved configuration with its seed determines the run: two runs on the same machine and thread count give
  the same bits, as long as timing does not decide which sequences are sampled in one batch. `fingerprint` names it; a
  checkpoint refuses to resume under another one.
* Training samples from the whole distribution: top-p, top-k and min-p are refused, because the engine's
  log-probabilities are then over a nucleus and the importance ratio is biased.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from assay.core.config import Config
from assay.core.seeding import short_hash
from assay.trainers.algorithm_config import AlgorithmConfig

WITHOUT_GROUPS = ("gae", "reinforce_pp")
"""Advantages that compare an episode with what a critic expected or with the whole batch, not with its group."""


class LoraConfig(Config):
    """Low-rank adapters (Hu et al. 2021, arXiv:2106.09685) on every linear layer; the base stays frozen."""

    rank: PositiveInt = 16
    alpha: PositiveFloat = 32.0


class ModelConfig(Config):
    """A checkpoint directory (`path`), or a small model built from the sizes below, with a character tokenizer."""

    path: str | None = None
    """That of an adapter stands for the base that it names with the adapter merged into it."""
    architecture: str = "qwen2"
    """Model type as transformers names it; used without `path`."""
    vocabulary: str = ""
    """Characters of the tokenizer; used without `path`."""
    hidden: PositiveInt = 128
    layers: PositiveInt = 4
    heads: PositiveInt = 2
    kv_heads: PositiveInt | None = None
    """Key-value heads; None means as many as `heads`."""
    feed_forward: PositiveInt = 384
    max_positions: PositiveInt = 512
    lora: LoraConfig | None = None
    autocast: Literal["none", "bfloat16"] = "none"
    """Precision of the forward pass. Weights and optimiser state are always float32."""
    device: str = "auto"
    """`auto` takes a GPU when there is one."""
    threads: PositiveInt | None = None
    """CPU threads for one matrix product; None leaves it to torch. On a busy machine 1 is best for small models."""

    @model_validator(mode="after")
    def _has_a_source(self) -> ModelConfig:
        if self.path is None and not self.vocabulary:
            raise ValueError("set path to a checkpoint directory, or vocabulary to build a small model")
        return self


class EnvConfig(Config):
    """The environment, by its registered id, with the options of its constructor.

    Training tasks come from its split `train`, held-out ones from `eval`; `eval_options` may say otherwise, to name
    another file for example.
    """

    id: str
    options: dict[str, Any] = Field(default_factory=dict)
    eval_options: dict[str, Any] = Field(default_factory=dict)
    wrappers: tuple[dict[str, Any], ...] = ()
    """Reward wrappers around training environments, the first one innermost: each a `name` and its options."""

    @field_validator("wrappers")
    @classmethod
    def _named(cls, wrappers: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for wrapper in wrappers:
            if not isinstance(wrapper.get("name"), str):
                raise ValueError(f"a wrapper is written {{name: step_cost, cost: 0.01}}, not {wrapper!r}")
        return wrappers


class WarmstartConfig(Config):
    """Supervised steps on the environment's own demonstrations before reinforcement learning. 0 steps: none."""

    steps: int = Field(0, ge=0)
    batch: PositiveInt = 96
    learning_rate: PositiveFloat = 2e-3
    demonstrations: PositiveInt | None = None
    """How many different demonstrations there are, gone through in epochs; None makes new ones for every batch."""
    styles: dict[str, PositiveFloat] = Field(default_factory=dict)
    """Weight of each of the environment's styles of demonstration; none: its oracle alone. Nothing is filtered, so
    that like a base model's data they may be wrong more often than right."""
    checkpoint_every: PositiveInt = 500


class RolloutConfig(Config):
    """How episodes are made."""

    groups: PositiveInt = 32
    """Tasks per step."""
    group_size: PositiveInt = 16
    """Episodes per task. Only advantages that compare no members, gae and reinforce_pp, can do with 1."""
    max_tokens: PositiveInt = 512
    """Tokens that the agent may write in one turn."""
    episode_tokens: PositiveInt | None = None
    """Tokens that the agent may write in a whole episode."""
    temperature: PositiveFloat = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    concurrency: PositiveInt = 512
    """Episodes in flight; of environments that wait for nothing but their verdict, episodes that the agent has not
    answered yet."""
    staleness: int = Field(0, ge=0)
    """0: rollouts and updates take turns. Above: rollouts go on during updates, and what a step trains on was sampled
    by weights at most so many updates old."""
    self_play: bool = False
    """Let the policy play every seat of a game of several players; evaluation still meets the game's own opponent."""
    engine: Literal["hf", "vllm"] = "hf"
    """`hf` runs in this process, on the trainer's device; `vllm` needs `assay-rl[vllm]`."""
    engine_options: dict[str, Any] = Field(default_factory=dict)
    """Options of the engine, such as `gpu_memory_utilization` or `enable_sleep_mode` of vLLM."""
    tool_format: str = "hermes"
    """How the agent writes tool calls."""
    record_every: PositiveInt = 1
    """Keep the episodes of every n-th step on disk."""

    @model_validator(mode="after")
    def _possible(self) -> RolloutConfig:
        if self.top_p < 1.0 or self.top_k > 0 or self.min_p > 0.0:
            raise ValueError(
                "training needs samples of the whole distribution: top_p, top_k and min_p bias the importance "
                "ratio; leave them at 1.0, 0 and 0.0 (evaluation may use them)"
            )
        if self.self_play and self.staleness:
            raise ValueError("self_play takes turns with updates: set staleness to 0")
        return self


class CurriculumConfig(Config):
    """Which training tasks come next: a policy that chooses among arms by the raw outcomes.

    Arms are either `levels`, each a set of options of the environment that makes its tasks (they are played in the
    environment of `env.options`), or the parts of a finite task set `by` tag, difficulty or task.
    """

    policy: str = "learnability"
    options: dict[str, Any] = Field(default_factory=dict)
    levels: tuple[dict[str, Any], ...] = ()
    by: Literal["tag", "difficulty", "task"] | None = None

    @model_validator(mode="after")
    def _has_arms(self) -> CurriculumConfig:
        if bool(self.levels) == (self.by is not None):
            raise ValueError("a curriculum needs either levels, such as [{terms: 4}, {terms: 6}], or by")
        return self


class MonitorConfig(Config):
    """A second verifier on a sample of the rollouts, with an alarm when its disagreement rises (`watch.py`)."""

    verifier: str
    """Registered name, or module:attribute."""
    options: dict[str, Any] = Field(default_factory=dict)
    threshold: float | None = None
    """Smallest score that counts as *correct*, for verdicts that do not say; None is the middle of the range."""
    fraction: float = Field(0.05, ge=0.0, le=1.0)
    """Share of the rewarded rollouts to check."""
    rejected_fraction: float = Field(0.0, ge=0.0, le=1.0)
    """Share of the rejected ones to check."""
    baseline: float | None = Field(None, gt=0.0, lt=1.0)
    """Share of the rewarded that it normally rejects; None learns it from the first `warmup` checks."""
    warmup: PositiveInt = 100
    alpha: float = Field(0.001, gt=0.0, lt=1.0)
    """1 / (mean number of checks between false alarms)."""


class OptimConfig(Config):
    """AdamW with a linear warm-up and then a constant rate."""

    learning_rate: PositiveFloat = 1e-6
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = Field(0.0, ge=0.0)
    warmup_steps: int = Field(0, ge=0)
    grad_clip: PositiveFloat = 1.0
    token_budget: PositiveInt = 2048
    """Tokens in one forward pass. Changes speed and memory, never the gradient; give a GPU as many as fit."""
    layout: Literal["shared", "padded", "packed"] = "shared"
    """How samples go through a forward pass: `shared` computes once what they begin with in common, where the model's
    attention lets it, and falls back to `padded`; `packed` pays with flash attention."""
    activation_checkpointing: bool = False
    """Compute layers again in the backward pass instead of keeping what is inside them."""


class EvalConfig(Config):
    """Evaluation on held-out tasks before the first step, every `every` steps, and after the last."""

    every: PositiveInt = 25
    tasks: PositiveInt = 256
    """How many of the held-out tasks, from the first on."""
    samples: PositiveInt = 8
    ks: tuple[PositiveInt, ...] = (1, 8)
    temperature: float = Field(1.0, ge=0.0)

    @model_validator(mode="after")
    def _enough_samples(self) -> EvalConfig:
        if self.ks and max(self.ks) > self.samples:
            raise ValueError(f"pass@{max(self.ks)} needs at least {max(self.ks)} samples per task, not {self.samples}")
        return self


class CheckpointConfig(Config):
    """When to save, and how many to keep."""

    every: PositiveInt = 25
    keep: PositiveInt = 2


class TrainConfig(Config):
    """A training run."""

    env: EnvConfig
    model: ModelConfig
    steps: int = Field(100, ge=0)
    """Steps of reinforcement learning: one batch of episodes and one update each."""
    seed: int = 0
    warmstart: WarmstartConfig = WarmstartConfig()
    rollout: RolloutConfig = RolloutConfig()
    curriculum: CurriculumConfig | None = None
    """None takes the environment's training tasks in their order."""
    algorithm: AlgorithmConfig = AlgorithmConfig()
    optim: OptimConfig = OptimConfig()
    eval: EvalConfig = EvalConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    monitor: MonitorConfig | None = None
    """None trusts the verifier unwatched."""
    tensorboard: bool = True
    trackers: tuple[Literal["wandb", "trackio"], ...] = ()
    """Services that get the metrics too; they must be installed."""
    profile: PositiveInt | None = None
    """Write a profiler's trace of this step to `profile/` of the run directory."""

    @model_validator(mode="after")
    def _groups_that_can_be_used(self) -> TrainConfig:
        if self.rollout.group_size == 1 and self.algorithm.advantage not in WITHOUT_GROUPS:
            raise ValueError(
                f"rollout.group_size 1 leaves {self.algorithm.advantage!r} nothing to compare; take 2 or more, "
                f"or advantage {' or '.join(map(repr, WITHOUT_GROUPS))}"
            )
        if self.rollout.group_size == 1 and self.algorithm.dynamic_sampling != "keep":
            raise ValueError("rollout.group_size 1 needs algorithm.dynamic_sampling keep: no group is ever mixed")
        if self.rollout.self_play and (self.curriculum is not None or self.env.wrappers):
            raise ValueError("rollout.self_play plays a game's rules alone: it takes no curriculum and no env.wrappers")
        return self

    @field_validator("seed")
    @classmethod
    def _seed_fits(cls, seed: int) -> int:
        if not 0 <= seed < 2**63:
            raise ValueError("a seed is in [0, 2**63)")
        return seed

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides the weights; how long, how often saved or looked at does not count."""
        neutral = {"steps", "checkpoint", "tensorboard", "trackers", "profile", "eval", "monitor"}
        return short_hash(json.dumps(self.model_dump(mode="json", exclude=neutral), sort_keys=True))

    def write(self, path: str | Path) -> None:
        """Write the resolved configuration as YAML."""
        text = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        Path(path).write_text(text, encoding="utf-8")
