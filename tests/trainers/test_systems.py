"""What a run costs: arithmetic, memory, recomputation; and where its metrics go."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from assay.core.config import load_config
from assay.core.errors import ConfigError
from assay.trainers import memory
from assay.trainers.config import TrainConfig
from assay.trainers.losses import make_loss
from assay.trainers.memory import GIB, check_memory, estimate
from assay.trainers.recompute import recompute_activations
from assay.trainers.samples import assign_weights
from assay.trainers.throughput import peak_flops, rates, step_flops
from assay.trainers.trackers import open_trackers
from assay.trainers.update import Updater
from tests.trainers.builders import random_samples, tiny_model

MINIMAL = ["env.id=assay/Arithmetic-v0", "model.vocabulary='0123456789'"]


def load(*overrides: str) -> TrainConfig:
    return load_config(TrainConfig, None, [*MINIMAL, *overrides])


def test_flops_are_six_a_parameter_and_token_plus_attention() -> None:
    model = tiny_model()
    samples = random_samples(3)
    trained = sum(int(s.loss_mask.sum()) for s in samples)
    head = model.lm_head.weight.numel()
    body = sum(p.numel() for p in model.parameters()) - head  # tied: the table is the head
    tokens, squares = sum(map(len, samples)), sum(len(s) ** 2 for s in samples)
    assert len({int(s.token_ids[0]) for s in samples}) == 3  # nothing in common
    assert step_flops(model, samples) == 6 * body * tokens + 6 * head * trained + 6 * 2 * 32 * squares
    untied = tiny_model(tied=False)
    assert step_flops(untied, samples) == step_flops(model, samples)
    twice = 6 * head * trained + 6 * 2 * 32 * squares
    assert step_flops(model, [*samples, *samples]) == step_flops(model, samples) + twice
    model.requires_grad_(False)
    assert step_flops(model, samples) == 4 * body * tokens + 4 * head * trained + 6 * 2 * 32 * squares


def test_utilisation_needs_a_known_peak() -> None:
    assert peak_flops(torch.device("cpu")) is None
    assert rates(1000, 2e12, 2.0, None) == {"tokens_per_second/update": 500.0, "tflops": 1.0}
    assert rates(1000, 2e12, 2.0, 4e12)["mfu"] == 0.25
    assert rates(0, 0.0, 0.0, 1.0) == {}


def test_the_estimate_counts_what_is_kept() -> None:
    model = tiny_model()
    count = sum(p.numel() for p in model.parameters())
    plain = estimate(load(), model)
    assert (plain.weights, plain.optimizer, plain.copies) == (4 * count, 12 * count, 0)
    more = estimate(load("rollout.staleness=1", "algorithm.kl_coef=0.1"), model)
    assert more.copies == 8 * count
    critic = estimate(load("algorithm={advantage: gae, critic: {kind: separate}}"), model)
    assert (critic.optimizer, critic.copies) == (24 * count, 4 * count)
    model.requires_grad_(False)
    assert estimate(load(), model).optimizer == 0


def test_a_large_model_recomputes_to_fit() -> None:
    """A 0.5B-parameter shape: keeping everything for 32,768 tokens takes far more than recomputing it."""
    shape = SimpleNamespace(num_hidden_layers=24, hidden_size=896)
    model: Any = SimpleNamespace(
        config=SimpleNamespace(get_text_config=lambda: shape),
        parameters=lambda: iter([torch.nn.Parameter(torch.ones(1))]),
    )
    options = ["optim.token_budget=32768", "model.autocast=bfloat16"]
    kept = estimate(load(*options), model).activations
    again = estimate(load(*options, "optim.activation_checkpointing=true"), model).activations
    assert 20 * GIB < kept < 30 * GIB
    assert again < 0.2 * kept


def test_what_cannot_fit_is_refused_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model()
    assert "GiB" in str(check_memory(load(), model, torch.device("cpu")))
    monkeypatch.setattr(memory, "available", lambda _: 1000)
    with pytest.raises(ConfigError, match=r"model\.lora") as caught:
        check_memory(load(), model, torch.device("cpu"))
    assert "\n" not in str(caught.value)


def test_recomputing_changes_no_gradient() -> None:
    samples = assign_weights(random_samples(8))
    seen, calls = [], []
    for recompute in (False, True):
        model = tiny_model()
        count = [0]
        model.model.layers[0].mlp.register_forward_pre_hook(lambda *_, count=count: count.__setitem__(0, count[0] + 1))
        if recompute:
            recompute_activations(model)
        updater = Updater(model, torch.optim.AdamW(model.parameters()), make_loss("ppo_clip"), token_budget=64)
        count[0] = 0
        updater.accumulate(samples)
        seen.append(torch.cat([p.grad.reshape(-1) for p in model.parameters() if p.grad is not None]))
        calls.append(count[0])
        assert not any(m.training for m in model.modules() if type(m).__name__ == "Dropout")
    assert torch.allclose(seen[0], seen[1], atol=1e-6)
    assert calls[1] == 2 * calls[0]


class Service:
    """Stands for a service that goes away after its first row."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []
        self.started: dict[str, Any] = {}

    def init(self, **options: Any) -> None:
        self.started = options

    def log(self, row: dict[str, float]) -> None:
        if self.rows:
            raise ConnectionError("gone")
        self.rows.append(row)

    def finish(self) -> None:
        raise ConnectionError("gone")


def test_a_service_that_breaks_costs_its_own_rows_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service()
    monkeypatch.setitem(sys.modules, "wandb", service)
    (tracker,) = open_trackers(["wandb"], tmp_path / "try", {"seed": 1})
    assert service.started["name"] == "try" and service.started["config"] == {"seed": 1}
    for step in range(3):
        tracker.write("train", step, {"reward": 0.5, "missing": None})
    tracker.close()
    assert service.rows == [{"train/reward": 0.5, "train/step": 0}]


def test_a_service_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trackio", None)
    with pytest.raises(ConfigError, match="pip install trackio"):
        open_trackers(["trackio"], tmp_path, {})


def test_wandb_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    (tracker,) = open_trackers(["wandb"], tmp_path, {"seed": 1})
    tracker.write("train", 1, {"reward": 0.5})
    tracker.close()
    assert list((tmp_path / "wandb").glob("offline-run-*"))
