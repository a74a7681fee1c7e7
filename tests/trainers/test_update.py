import copy

import numpy as np
import pytest
import torch

from assay.core.errors import ConfigError
from assay.trainers.losses import make_loss
from assay.trainers.samples import assign_weights
from assay.trainers.scoring import sample_logprobs
from assay.trainers.update import Updater
from tests.trainers.builders import random_samples, tiny_model


def updater(model, loss="ppo_clip", lr=1e-2, **options):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.0)
    return Updater(model, optimizer, make_loss(loss), **options)


def gradient(samples, model=None, **options):
    model = model or tiny_model()
    updater(model, **options).accumulate(samples)
    return torch.cat([p.grad.reshape(-1) for p in model.parameters()])


def on_policy(model, count=12):
    samples = random_samples(count)
    for sample, logprobs in zip(samples, sample_logprobs(model, samples), strict=True):
        sample.logprobs[sample.loss_mask] = logprobs.numpy()
    return assign_weights(samples)


@pytest.mark.parametrize("normalization", ["token-mean", "sequence-mean", "constant"])
@pytest.mark.parametrize("loss", ["ppo_clip", "gspo", "nll"])
def test_no_split_changes_the_gradient(normalization, loss):
    samples = assign_weights(random_samples(16), normalization, max_tokens=30)
    whole = gradient(samples, loss=loss, token_budget=10_000)
    assert whole.norm() > 1e-3
    for budget in (1, 33, 70, 200):
        for layout in ("padded", "packed"):
            split = gradient(samples, loss=loss, token_budget=budget, layout=layout)
            assert torch.allclose(split, whole, atol=1e-5, rtol=1e-4), (budget, layout)


def test_the_gradient_is_that_of_the_formula_on_plain_logits():
    model, samples = tiny_model(), assign_weights(random_samples(6))
    loss = torch.zeros(())
    for sample in samples:
        ids = torch.as_tensor(sample.token_ids)
        logp = (model(ids[None]).logits[0] / 0.7).log_softmax(-1)
        for t in np.flatnonzero(sample.loss_mask):
            ratio = (logp[t - 1, ids[t]] - float(sample.logprobs[t])).exp()
            a = float(sample.advantages[t])
            loss = loss - float(sample.weights[t]) * torch.min(ratio * a, ratio.clamp(0.8, 1.28) * a)
    loss.backward()
    expected = torch.cat([p.grad.reshape(-1) for p in model.parameters()])
    assert torch.allclose(gradient(samples, model, temperature=0.7, token_budget=64), expected, atol=1e-5)


def test_on_policy_metrics_show_no_mismatch():
    model = tiny_model()
    metrics = updater(model, token_budget=64).step(on_policy(model))
    assert metrics["mismatch_kl"] == pytest.approx(0, abs=1e-6)
    assert metrics["ratio_max"] == pytest.approx(1, abs=1e-4)
    assert metrics["clip_fraction"] == 0
    assert metrics["tokens"] == sum(s.loss_mask.sum() for s in random_samples(12))


def test_a_wrong_temperature_shows_as_mismatch():
    model = tiny_model()
    assert updater(model, temperature=1.5).step(on_policy(model))["mismatch_kl"] > 1e-2


def test_metrics_do_not_depend_on_the_split():
    samples = assign_weights(random_samples(16))
    rows = [updater(tiny_model(), token_budget=budget).step(samples) for budget in (40, 10_000)]
    assert rows[0] == pytest.approx(rows[1], rel=1e-4, abs=1e-6)


def test_supervised_steps_fit_the_data():
    model, samples = tiny_model(), assign_weights(random_samples(4))
    trainer = updater(model, "nll")
    losses = [trainer.step(samples)["loss"] for _ in range(60)]
    assert losses[-1] < 0.2 * losses[0]


def test_reinforced_tokens_become_likelier_and_punished_ones_rarer():
    model = tiny_model()
    samples = on_policy(model)
    before = sample_logprobs(model, samples)
    updater(model, lr=3e-4).step(samples)
    after = sample_logprobs(model, samples)
    moves = [(a - b).sum() * s.advantages[s.loss_mask][0] for a, b, s in zip(after, before, samples, strict=True)]
    assert sum(moves) > 0


def test_a_step_that_is_not_finite_is_skipped_and_counted():
    model = tiny_model()
    before = copy.deepcopy(model.state_dict())
    trainer = updater(model)
    samples = on_policy(model)
    samples[0].weights[samples[0].loss_mask] = np.inf
    metrics = trainer.step(samples)
    assert metrics["skipped"] == 1 and trainer.skipped == 1 and trainer.steps == 1
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert trainer.step(on_policy(model))["skipped"] == 0


def test_zero_advantages_leave_the_weights_alone():
    model = tiny_model()
    before = copy.deepcopy(model.state_dict())
    samples = on_policy(model)
    for sample in samples:
        sample.advantages[:] = 0
    assert updater(model).step(samples)["grad_norm"] == 0
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())


def test_nothing_to_train_on_is_no_step():
    trainer = updater(tiny_model())
    assert trainer.step([]) == {"tokens": 0.0}
    assert trainer.steps == 0


def test_gradients_are_clipped_to_the_norm():
    model = tiny_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    before = torch.cat([p.detach().reshape(-1).clone() for p in model.parameters()])
    metrics = Updater(model, optimizer, make_loss("nll"), grad_clip=0.01).step(assign_weights(random_samples(4)))
    after = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    assert metrics["grad_norm"] > 0.01
    assert float((after - before).norm()) == pytest.approx(0.01, rel=1e-3)


def test_the_schedule_scales_the_rate_and_survives_a_resume():
    model, samples = tiny_model(), assign_weights(random_samples(3))
    trainer = updater(model, "nll", schedule=lambda step: (step + 1) / 10)
    rates = [trainer.step(samples)["learning_rate"] for _ in range(2)]
    resumed = updater(model, "nll", schedule=lambda step: (step + 1) / 10)
    resumed.load_state_dict(trainer.state_dict())
    assert [*rates, resumed.step(samples)["learning_rate"]] == pytest.approx([1e-3, 2e-3, 3e-3])


def test_entropy_bonus_raises_entropy():
    samples = assign_weights(random_samples(6))
    for sample in samples:
        sample.advantages[:] = 0
    trainer = updater(tiny_model(), lr=1e-3, entropy_coef=1.0, token_budget=40)
    entropies = [trainer.step(samples)["entropy"] for _ in range(10)]
    assert entropies[-1] > entropies[0] + 0.05


def test_a_reference_pulls_the_policy_back():
    model, reference_model = tiny_model(), tiny_model(seed=1)
    samples = on_policy(model)
    for sample in samples:
        sample.advantages[:] = 0
    reference = sample_logprobs(reference_model, samples)
    trainer = updater(model, lr=1e-3, kl_coef=1.0, token_budget=50)
    distances = [trainer.step(samples, reference)["reference_kl"] for _ in range(10)]
    assert distances[-1] < 0.8 * distances[0]


def test_no_split_changes_the_gradient_towards_a_reference():
    model = tiny_model()
    samples = on_policy(model, 8)
    for sample in samples:
        sample.advantages[:] = 0
    reference = sample_logprobs(tiny_model(seed=1), samples)
    gradients = []
    for budget, layout in ((10_000, "padded"), (40, "padded"), (64, "packed")):
        updater(model, kl_coef=0.5, token_budget=budget, layout=layout).accumulate(samples, reference)
        gradients.append(torch.cat([p.grad.reshape(-1) for p in model.parameters()]))
    assert gradients[0].norm() > 1e-3
    assert all(torch.allclose(g, gradients[0], atol=1e-5, rtol=1e-4) for g in gradients)


def test_the_policy_itself_as_reference_pulls_nowhere():
    model = tiny_model()
    samples = on_policy(model)
    for sample in samples:
        sample.advantages[:] = 0
    assert updater(model, kl_coef=1.0).step(samples, sample_logprobs(model, samples))["grad_norm"] < 1e-4


def test_a_reference_is_needed_exactly_with_a_coefficient():
    model, samples = tiny_model(), assign_weights(random_samples(2))
    with pytest.raises(ValueError, match="kl_coef"):
        updater(model, kl_coef=0.1).step(samples)
    with pytest.raises(ValueError, match="kl_coef"):
        updater(model).step(samples, sample_logprobs(model, samples))


def test_steps_are_deterministic():
    samples = assign_weights(random_samples(8))
    models = [tiny_model(), tiny_model()]
    for model in models:
        trainer = updater(model, token_budget=64, autocast_dtype=torch.bfloat16)
        for _ in range(3):
            trainer.step(samples)
    assert all(torch.equal(a, b) for a, b in zip(models[0].parameters(), models[1].parameters(), strict=True))


def test_bfloat16_stays_near_float32():
    samples = assign_weights(random_samples(12))
    exact = gradient(samples)
    rough = gradient(samples, autocast_dtype=torch.bfloat16)
    assert torch.nn.functional.cosine_similarity(exact, rough, dim=0) > 0.995


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(ConfigError, match="temperature"):
        updater(tiny_model(), temperature=0.0)
