import math

import pytest
import torch

from assay.core.errors import ConfigError
from assay.trainers.losses import LOSSES, cispo, dppo, gspo, importance_sampling, make_loss, nll, ppo_clip

POLICY = sorted(set(LOSSES.names()) - {"nll"})


def value_and_gradient(loss_fn, log_ratios, advantages, old=-1.0, ids=None, **options):
    """Loss and d loss / d logprob of tokens whose old log-probability is `old`."""
    old_logprobs = torch.full((len(log_ratios),), old)
    logprobs = (old_logprobs + torch.tensor(log_ratios)).requires_grad_()
    ids = None if ids is None else torch.tensor(ids)
    loss, diagnostics = loss_fn(logprobs, old_logprobs, torch.tensor(advantages), ids, **options)
    assert loss.shape == logprobs.shape
    (gradient,) = torch.autograd.grad(loss.sum(), logprobs)
    return loss.tolist(), gradient.tolist(), {k: v.tolist() for k, v in diagnostics.items()}


def log(*ratios):
    return [math.log(r) for r in ratios]


@pytest.mark.parametrize("name", POLICY)
def test_on_policy_the_gradient_is_that_of_reinforce(name):
    _, gradient, diagnostics = value_and_gradient(make_loss(name), [0.0, 0.0, 0.0], [2.0, -1.0, 0.0], ids=[0, 0, 1])
    assert gradient == pytest.approx([-2, 1, 0], abs=1e-6)
    assert diagnostics["mismatch_kl"] == pytest.approx([0, 0, 0], abs=1e-6)


@pytest.mark.parametrize("name", POLICY)
def test_extreme_ratios_stay_finite(name):
    loss, gradient, diagnostics = value_and_gradient(
        make_loss(name), [90.0, -90.0, 90.0, -90.0], [1.0, 1.0, -1.0, -1.0], ids=[0, 1, 2, 3]
    )
    assert all(map(math.isfinite, [*loss, *gradient, *(x for values in diagnostics.values() for x in values)]))


class TestPpoClip:
    def test_the_clip_is_one_sided_for_each_sign(self):
        ratios, a = log(1.5, 0.5, 1.5, 0.5, 1.25), [1.0, 1.0, -1.0, -1.0, 1.0]
        loss, gradient, diagnostics = value_and_gradient(ppo_clip, ratios, a, clip_low=0.2, clip_high=0.28)
        assert loss == pytest.approx([-1.28, -0.5, 1.5, 0.8, -1.25])
        assert gradient == pytest.approx([0, -0.5, 1.5, 0, -1.25])
        assert diagnostics["clip_fraction"] == [1, 0, 0, 1, 0]
        assert diagnostics["ratio_max"][0] == pytest.approx(1.5)

    def test_the_dual_clip_bounds_the_push_on_bad_tokens(self):
        loss, gradient, diagnostics = value_and_gradient(ppo_clip, log(5, 2, 5), [-1.0, -1.0, 1.0], dual_clip=3.0)
        assert loss == pytest.approx([3, 2, -1.28])
        assert gradient == pytest.approx([0, 2, 0])
        assert diagnostics["clip_fraction"] == [1, 0, 1]


class TestGspo:
    def test_one_ratio_for_the_whole_sequence(self):
        loss, gradient, _ = value_and_gradient(
            gspo, [0.1, -0.3, 0.2, 0.2], [1.0, 1.0, 1.0, 1.0], ids=[0, 0, 0, 1], clip_low=0.5, clip_high=0.5
        )
        assert loss == pytest.approx([-1, -1, -1, -1.2214], abs=1e-4)
        assert gradient == pytest.approx([-1, -1, -1, -1.2214], abs=1e-4)

    def test_the_clip_takes_the_sequence_as_one(self):
        loss, gradient, diagnostics = value_and_gradient(
            gspo, [0.4, 0.0, -0.4, 0.0], [1.0, 1.0, 1.0, 1.0], ids=[0, 0, 1, 1], clip_low=0.1, clip_high=0.1
        )
        assert loss == pytest.approx([-1.1, -1.1, -math.exp(-0.2), -math.exp(-0.2)])
        assert gradient == pytest.approx([0, 0, -math.exp(-0.2), -math.exp(-0.2)])
        assert diagnostics["clip_fraction"] == [1, 1, 0, 0]

    def test_its_gradient_is_that_of_the_papers_sequence_objective(self):
        old = torch.tensor([-1.0, -2.0, -0.5])
        logprobs = torch.tensor([-0.9, -2.2, -0.4], requires_grad=True)
        ours, _ = gspo(logprobs, old, torch.full((3,), 0.7), torch.zeros(3, dtype=torch.long), clip_low=1, clip_high=1)
        (got,) = torch.autograd.grad(ours.mean(), logprobs)
        (expected,) = torch.autograd.grad(-0.7 * (logprobs - old).mean().exp(), logprobs)
        assert torch.allclose(got, expected)

    def test_it_needs_sequences(self):
        with pytest.raises(ValueError, match="sequence_ids"):
            value_and_gradient(gspo, [0.0], [1.0])


def test_cispo_clips_the_weight_and_keeps_the_gradient():
    _, gradient, diagnostics = value_and_gradient(cispo, log(10, 2, 10), [1.0, 1.0, -1.0], ratio_max=5.0)
    assert gradient == pytest.approx([-5, -2, 5])
    assert diagnostics["clip_fraction"] == [1, 0, 1]


def test_dppo_masks_by_probability_and_not_by_ratio():
    old = torch.tensor([0.01, 0.5, 0.5, 0.5]).log()
    logprobs = torch.tensor([0.05, 0.8, 0.8, 0.2]).log().requires_grad_()
    advantages = torch.tensor([1.0, 1.0, -1.0, -1.0])
    loss, diagnostics = dppo(logprobs, old, advantages, kl_coef=0.0)
    (gradient,) = torch.autograd.grad(loss.sum(), logprobs)
    # five times likelier, but by 0.04 only: kept; up by 0.3: dropped; up though bad: kept; down by 0.3 and bad: dropped
    assert diagnostics["clip_fraction"].tolist() == [0, 1, 0, 1]
    assert gradient.tolist() == pytest.approx([-5, 0, 1.6, 0], rel=1e-5)


def test_dppo_pulls_towards_the_engine():
    _, gradient, _ = value_and_gradient(dppo, [0.3], [0.0], kl_coef=1e-3)
    assert gradient == pytest.approx([6e-4])


def test_importance_sampling_is_unclipped():
    loss, gradient, _ = value_and_gradient(importance_sampling, log(4.0), [1.0])
    assert loss == pytest.approx([-4]) and gradient == pytest.approx([-4])


def test_nll_reads_neither_old_policy_nor_advantages():
    loss, gradient, diagnostics = value_and_gradient(nll, [0.3, -0.2], [0.0, 9.0])
    assert loss == pytest.approx([0.7, 1.2]) and gradient == [-1, -1] and diagnostics == {}


def test_mismatch_kl_is_k3():
    _, _, diagnostics = value_and_gradient(ppo_clip, [0.5, -0.5], [1.0, 1.0])
    assert diagnostics["mismatch_kl"] == pytest.approx([math.exp(0.5) - 1.5, math.exp(-0.5) - 0.5])


def test_options_are_checked_when_bound():
    with pytest.raises(ConfigError, match="did you mean 'clip_high'"):
        make_loss("ppo_clip", clip_hihg=0.3)
    with pytest.raises(ConfigError, match="did you mean 'gspo'"):
        make_loss("gsop")
