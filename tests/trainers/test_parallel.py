from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from peft import LoraConfig, get_peft_model

from assay.trainers.algorithm_config import CriticConfig
from assay.trainers.critic import Critic
from assay.trainers.losses import make_loss
from assay.trainers.parallel import DataParallel, shard
from assay.trainers.recompute import recompute_activations
from assay.trainers.samples import assign_weights
from assay.trainers.scoring import sample_logprobs, sample_values
from assay.trainers.sharding import is_sharded, shard_layers, whole
from assay.trainers.update import Updater
from tests.trainers.builders import random_samples, tiny_model
from tests.trainers.test_critic import targets_of


@dataclass(frozen=True)
class Case:
    """What two processes do with `count` samples. With one sample the second process has no share, and must join."""

    count: int
    sharded: bool = True
    """Each holds half of every layer (FSDP2), or all of the weights."""
    recompute: bool = False
    lora: bool = False
    critic: CriticConfig | None = None


SEPARATE = CriticConfig(kind="separate", warmup_steps=1)
CASES = [
    *(Case(count, sharded=sharded) for count in (11, 1) for sharded in (False, True)),
    *(Case(count, recompute=True, critic=SEPARATE) for count in (11, 1)),
    *(Case(count, recompute=True, lora=True, critic=SEPARATE) for count in (11, 1)),
    Case(1, critic=CriticConfig(stop_gradient=False, warmup_steps=1)),
]


def run(case: Case, parallel: DataParallel | None = None) -> dict[str, Any]:
    """Take two steps, of which a critic has the first one to itself, and look at the gradient of a third."""
    model: Any = tiny_model()
    samples = assign_weights(random_samples(case.count))
    reference = sample_logprobs(tiny_model(seed=7), samples, token_budget=64, parallel=parallel)
    if case.lora:
        adapter = LoraConfig(r=3, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
        model = get_peft_model(model, adapter).eval()
    if case.recompute:
        recompute_activations(model)
    critic = None if case.critic is None else Critic(case.critic, model)
    if critic is not None:
        torch.nn.init.normal_(critic.head.weight)
    if parallel is not None and case.sharded:
        for module in (model, *(() if critic is None or critic.trunk is None else (critic.trunk,))):
            assert shard_layers(module) == 2
    policy = [p for p in model.parameters() if p.requires_grad]
    parameters = policy + ([] if critic is None else critic.trainable())
    optimizer = torch.optim.AdamW([{"params": policy}], lr=1e-3, foreach=False)
    if critic is not None:
        optimizer.add_param_group({"params": critic.trainable()})
    updater = Updater(
        model,
        optimizer,
        make_loss("ppo_clip"),
        token_budget=64,
        kl_coef=0.1,
        parallel=parallel,
        critic=critic,
    )
    targets = (
        None
        if critic is None
        else targets_of(samples, sample_values(critic, model, samples, token_budget=64, parallel=parallel))
    )
    metrics = [updater.step(samples, reference, targets) for _ in range(2)]
    updater.accumulate(samples, reference, targets)
    return {
        "gradient": torch.cat([whole(p.grad).reshape(-1) for p in parameters if p.grad is not None]),
        "weights": torch.cat([whole(p.detach()).reshape(-1) for p in parameters]),
        "metrics": metrics,
        "held": sum((p.to_local() if is_sharded(p) else p).numel() for p in model.parameters()),
    }


def worker(rank: int, size: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=size)
    torch.save([run(case, DataParallel()) for case in CASES], f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_take_the_steps_of_one(tmp_path: Path) -> None:
    mp.spawn(worker, args=(2, str(tmp_path)), nprocs=2)
    shares = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    for case, alone, *both in zip(CASES, map(run, CASES), *shares, strict=True):
        for share in both:
            assert torch.allclose(share["gradient"], alone["gradient"], atol=2e-5, rtol=1e-3), case
            assert torch.allclose(share["weights"], alone["weights"], atol=1e-4), case
            for row, expected in zip(share["metrics"], alone["metrics"], strict=True):
                assert row == pytest.approx(expected, rel=1e-3, abs=1e-5), case
            assert share["held"] == alone["held"] if not case.sharded else share["held"] < 0.6 * alone["held"], case
        assert torch.equal(both[0]["weights"], both[1]["weights"]), case


def test_shares_are_even_and_complete() -> None:
    samples = random_samples(40)
    dealt = shard(samples, 3)
    assert sorted(number for share in dealt for number in share) == list(range(40))
    loads = [sum(len(samples[number]) for number in share) for share in dealt]
    assert max(loads) - min(loads) <= 10


def test_gradients_of_several_types_and_missing_ones_are_summed(tmp_path: Path) -> None:
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/r", rank=0, world_size=1)
    try:
        parameters = [torch.nn.Parameter(torch.ones(3, dtype=d)) for d in (torch.float32, torch.bfloat16)]
        parameters[0].grad = torch.full((3,), 2.0)
        DataParallel().sum_gradients(parameters)
    finally:
        dist.destroy_process_group()
    assert parameters[0].grad.tolist() == [2, 2, 2]
    assert parameters[1].grad.tolist() == [0, 0, 0]
