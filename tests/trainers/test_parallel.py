import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from assay.trainers.losses import make_loss
from assay.trainers.parallel import DataParallel, shard
from assay.trainers.samples import assign_weights
from assay.trainers.scoring import sample_logprobs
from assay.trainers.sharding import is_sharded, shard_layers, whole
from assay.trainers.update import Updater
from tests.trainers.builders import random_samples, tiny_model


def run(parallel=None, count=11):
    model = tiny_model()
    samples = assign_weights(random_samples(count))
    reference = sample_logprobs(tiny_model(seed=7), samples)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    updater = Updater(model, optimizer, make_loss("ppo_clip"), token_budget=64, kl_coef=0.1, parallel=parallel)
    updater.accumulate(samples, reference)
    gradient = torch.cat([p.grad.reshape(-1) for p in model.parameters()])
    metrics = updater.step(samples, reference)
    weights = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    return {"gradient": gradient, "metrics": metrics, "weights": weights}


def run_sharded(parallel, count):
    model = tiny_model()
    samples = assign_weights(random_samples(count))
    reference = sample_logprobs(tiny_model(seed=7), samples)
    whole_size = sum(p.numel() for p in model.parameters())
    assert shard_layers(model) == 2
    held = sum((p.to_local() if is_sharded(p) else p).numel() for p in model.parameters())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, foreach=False)
    updater = Updater(model, optimizer, make_loss("ppo_clip"), token_budget=64, kl_coef=0.1, parallel=parallel)
    updater.accumulate(samples, reference)
    gradient = torch.cat([whole(p.grad).reshape(-1) for p in model.parameters()])
    metrics = updater.step(samples, reference)
    weights = torch.cat([whole(p.detach()).reshape(-1) for p in model.parameters()])
    return {"gradient": gradient, "metrics": metrics, "weights": weights, "held": held / whole_size}


def sharded_worker(rank, size, folder, count):
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=size)
    torch.save(run_sharded(DataParallel(), count), f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.parametrize("count", [11, 1])
def test_two_processes_that_share_the_weights_take_the_step_of_one(tmp_path, count):
    """FSDP2: each holds half of every layer. With one sample the second process joins with empty passes."""
    mp.spawn(sharded_worker, args=(2, str(tmp_path), count), nprocs=2)
    alone = run(count=count)
    for share in (torch.load(tmp_path / f"{rank}.pt") for rank in range(2)):
        assert torch.allclose(share["gradient"], alone["gradient"], atol=1e-5, rtol=1e-4)
        assert share["metrics"] == pytest.approx(alone["metrics"], rel=1e-4, abs=1e-6)
        assert torch.allclose(share["weights"], alone["weights"], atol=1e-5)
        assert share["held"] < 0.6


def worker(rank, size, folder, count):
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=size)
    torch.save(run(DataParallel(), count), f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.parametrize("count", [11, 1])
def test_two_processes_take_the_step_of_one(tmp_path, count):
    """With one sample the second process has no share at all, and must still join."""
    mp.spawn(worker, args=(2, str(tmp_path), count), nprocs=2)
    alone = run(count=count)
    shares = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    for share in shares:
        assert torch.allclose(share["gradient"], alone["gradient"], atol=1e-5, rtol=1e-4)
        assert share["metrics"] == pytest.approx(alone["metrics"], rel=1e-4, abs=1e-6)
    assert torch.equal(shares[0]["weights"], shares[1]["weights"])


def test_shares_are_even_and_complete():
    samples = random_samples(40)
    dealt = shard(samples, 3)
    assert sorted(number for share in dealt for number in share) == list(range(40))
    loads = [sum(len(samples[number]) for number in share) for share in dealt]
    assert max(loads) - min(loads) <= 10


def test_gradients_of_several_types_and_missing_ones_are_summed(tmp_path):
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/r", rank=0, world_size=1)
    try:
        parameters = [torch.nn.Parameter(torch.ones(3, dtype=d)) for d in (torch.float32, torch.bfloat16)]
        parameters[0].grad = torch.full((3,), 2.0)
        DataParallel().sum_gradients(parameters)
    finally:
        dist.destroy_process_group()
    assert parameters[0].grad.tolist() == [2, 2, 2]
    assert parameters[1].grad.tolist() == [0, 0, 0]
