import math

import pytest
import torch

from assay.core.errors import ConfigError
from assay.trainers.losses import kl_estimate, kl_loss


def test_values_of_the_three_estimators():
    logprobs, reference = torch.tensor([0.5]).log(), torch.tensor([0.25]).log()
    values = [float(kl_estimate(logprobs, reference, estimator=k)) for k in ("k1", "k2", "k3")]
    assert values == pytest.approx([math.log(2), math.log(2) ** 2 / 2, 0.5 - 1 + math.log(2)])


def test_k1_and_k3_are_unbiased_and_k3_is_never_negative():
    policy, reference = torch.tensor([0.7, 0.2, 0.1]), torch.tensor([0.3, 0.3, 0.4])
    exact = float((policy * (policy / reference).log()).sum())
    for estimator in ("k1", "k3"):
        estimates = kl_estimate(policy.log(), reference.log(), estimator=estimator)
        assert float((policy * estimates).sum()) == pytest.approx(exact, rel=1e-5)
    assert (kl_estimate(policy.log(), reference.log()) >= 0).all()


@pytest.mark.parametrize("on_policy", [True, False])
@pytest.mark.parametrize("estimator", ["k1", "k3"])
def test_the_expected_gradient_is_that_of_the_kl(estimator, on_policy):
    """All outcomes weighted by the sampling policy: the exact expectation, without any noise."""
    theta = torch.tensor([0.3, -0.4, 0.9], requires_grad=True)
    reference = torch.tensor([0.3, 0.3, 0.4]).log()
    policy = theta.log_softmax(0)
    sampler = policy.detach() if on_policy else torch.tensor([0.5, 0.2, 0.3]).log()
    (expected,) = torch.autograd.grad((policy.exp() * (policy - reference)).sum(), theta, retain_graph=True)
    loss = (sampler.exp() * kl_loss(policy, reference, sampler, estimator=estimator)).sum()
    (got,) = torch.autograd.grad(loss, theta, retain_graph=True)
    assert torch.allclose(got, expected, atol=1e-6)


def test_without_the_ratio_k3_has_another_gradient_even_on_policy():
    theta = torch.tensor([0.3, -0.4, 0.9], requires_grad=True)
    reference = torch.tensor([0.3, 0.3, 0.4]).log()
    policy = theta.log_softmax(0)
    (exact,) = torch.autograd.grad((policy.exp() * (policy - reference)).sum(), theta, retain_graph=True)
    naive = (policy.detach().exp() * kl_estimate(policy, reference)).sum()
    (got,) = torch.autograd.grad(naive, theta)
    assert not torch.allclose(got, exact, atol=1e-2)


def test_unknown_estimator():
    with pytest.raises(ConfigError, match="k1, k2, k3"):
        kl_estimate(torch.zeros(1), torch.zeros(1), estimator="k4")
