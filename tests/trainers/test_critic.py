"""The critic in the update: where its gradient goes, and that no split of the batch changes it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from assay.core.errors import ConfigError
from assay.core.trajectory import Sample
from assay.trainers.algorithm_config import CriticConfig
from assay.trainers.credit import ValueTargets
from assay.trainers.critic import Critic
from assay.trainers.losses import make_loss
from assay.trainers.samples import assign_weights
from assay.trainers.scoring import sample_values
from assay.trainers.update import Updater
from tests.trainers.builders import random_samples, tiny_model

KINDS = [
    CriticConfig(learning_rate=1e-2),
    CriticConfig(stop_gradient=False, learning_rate=1e-2),
    CriticConfig(kind="separate", learning_rate=1e-2),
]


def targets_of(samples: list[Sample], values: list[torch.Tensor] | None = None) -> ValueTargets:
    """Returns that a critic can learn: the token that comes next, as a number."""
    returns = [torch.from_numpy(s.token_ids[s.loss_mask]).float() / 23 for s in samples]
    total = sum(len(r) for r in returns)
    weights = [torch.full((len(r),), 1 / total) for r in returns]
    return ValueTargets(values or [torch.zeros(len(r)) for r in returns], returns, weights)


def build(config: CriticConfig, **options: Any) -> tuple[torch.nn.Module, Critic, Updater]:
    model = tiny_model()
    critic = Critic(config, model)
    groups = [{"params": list(model.parameters())}, {"params": critic.trainable(), "lr": config.learning_rate}]
    optimizer = torch.optim.AdamW(groups, lr=1e-2, weight_decay=0.0)
    return model, critic, Updater(model, optimizer, make_loss("ppo_clip"), critic=critic, **options)


def gradients(module: torch.nn.Module) -> torch.Tensor:
    return torch.cat([torch.zeros(p.numel()) if p.grad is None else p.grad.reshape(-1) for p in module.parameters()])


@pytest.mark.parametrize("config", KINDS, ids=["head", "trunk", "separate"])
def test_no_split_changes_the_gradient(config: CriticConfig) -> None:
    samples = assign_weights(random_samples(12))
    seen = []
    for budget, layout in ((10_000, "padded"), (40, "padded"), (64, "packed")):
        model, critic, updater = build(config, token_budget=budget, layout=layout)
        torch.nn.init.normal_(critic.head.weight, generator=torch.Generator().manual_seed(0))
        updater.accumulate(samples, targets=targets_of(samples))
        seen.append(torch.cat([gradients(model), gradients(critic)]))
    assert all(torch.allclose(g, seen[0], atol=1e-5, rtol=1e-4) for g in seen)


@pytest.mark.parametrize(("config", "reaches"), list(zip(KINDS, [False, True, False], strict=True)))
def test_the_value_loss_reaches_the_policy_only_where_it_may(config: CriticConfig, reaches: bool) -> None:
    samples = assign_weights(random_samples(6))
    for sample in samples:
        sample.advantages[:] = 0
    model, critic, updater = build(config)
    torch.nn.init.ones_(critic.head.weight)
    updater.accumulate(samples, targets=targets_of(samples))
    assert bool(gradients(model).norm() > 1e-4) is reaches
    assert gradients(critic).norm() > 1e-4
    assert (critic.trunk is not None) is (config.kind == "separate")


@pytest.mark.parametrize("config", KINDS, ids=["head", "trunk", "separate"])
@pytest.mark.parametrize("layout", ["padded", "packed"])
def test_it_learns_what_comes(config: CriticConfig, layout: Any) -> None:
    samples = assign_weights(random_samples(6))
    for sample in samples:
        sample.advantages[:] = 0
    model, critic, updater = build(config.model_copy(update={"clip": None}), layout=layout, token_budget=64)
    before = sample_values(critic, model, samples, token_budget=64, layout=layout)
    assert all(bool((v == 0).all()) for v in before)
    losses = [updater.step(samples, targets=targets_of(samples, before))["value_loss"] for _ in range(60)]
    assert losses[-1] < 0.5 * losses[0]
    after = torch.cat(sample_values(critic, model, samples, token_budget=64, layout=layout))
    assert torch.corrcoef(torch.stack([after, torch.cat(targets_of(samples).returns)]))[0, 1] > 0.4


def test_a_clipped_value_moves_no_further() -> None:
    samples = assign_weights(random_samples(6))
    model, critic, updater = build(CriticConfig(learning_rate=1e-2, clip=0.01))
    zeros = targets_of(samples).values
    for _ in range(40):
        row = updater.step(samples, targets=targets_of(samples, zeros))
    assert row["value_clip_fraction"] > 0.5
    assert float(torch.cat(sample_values(critic, model, samples)).abs().mean()) < 0.3


@pytest.mark.parametrize("config", KINDS, ids=["head", "trunk", "separate"])
def test_the_policy_waits_while_the_critic_warms_up(config: CriticConfig) -> None:
    samples = assign_weights(random_samples(6))
    model, critic, updater = build(config.model_copy(update={"warmup_steps": 2}))
    before, head = copy.deepcopy(model.state_dict()), critic.head.weight.clone()
    for _ in range(2):
        updater.step(samples, targets=targets_of(samples))
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert not torch.equal(head, critic.head.weight)
    updater.step(samples, targets=targets_of(samples))
    assert any(not torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_an_exploding_critic_does_not_shrink_the_policys_step() -> None:
    """Gradients are clipped apart: with a common norm the critic's early errors would swallow the policy's."""
    samples = assign_weights(random_samples(6))
    rows = []
    for scale in (1.0, 1e6):
        _, _, updater = build(KINDS[0])
        targets = targets_of(samples)
        rows.append(
            updater.step(
                samples, targets=ValueTargets(targets.values, [r * scale for r in targets.returns], targets.weights)
            )
        )
    assert rows[0]["grad_norm"] == pytest.approx(rows[1]["grad_norm"])
    assert rows[1]["critic_grad_norm"] > 100 * rows[0]["critic_grad_norm"]


def test_targets_are_needed_exactly_with_a_critic() -> None:
    samples = assign_weights(random_samples(2))
    _, _, updater = build(KINDS[0])
    with pytest.raises(ValueError, match="critic"):
        updater.step(samples)
    model = tiny_model()
    plain = Updater(model, torch.optim.AdamW(model.parameters()), make_loss("ppo_clip"))
    with pytest.raises(ValueError, match="critic"):
        plain.step(samples, targets=targets_of(samples))


def test_another_critics_weights_are_refused() -> None:
    model = tiny_model()
    with pytest.raises(ConfigError, match="another one"):
        Critic(KINDS[0], model).load_weights(dict(Critic(KINDS[2], model).weights()))
