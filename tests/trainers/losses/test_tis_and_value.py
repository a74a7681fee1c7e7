import math

import pytest
import torch

from assay.core.errors import ConfigError
from assay.trainers.losses import tis_weights, value_clip


def weights(differences, ids=None, **options):
    d = torch.tensor(differences, requires_grad=True)
    got = tis_weights(d, torch.zeros(len(differences)), None if ids is None else torch.tensor(ids), **options)
    assert not got.requires_grad
    return got.tolist()


def test_tokens_are_truncated():
    assert weights([math.log(1.5), math.log(4), math.log(0.1)]) == pytest.approx([1.5, 2, 0.1])


def test_tokens_are_masked():
    got = weights([math.log(1.5), math.log(4), math.log(0.1)], upper=2.0, lower=0.5, outside="mask")
    assert got == pytest.approx([1.5, 0, 0])


def test_long_sequences_are_not_punished_for_their_length():
    """A hundred tokens that differ by 0.012 each: a product would be 3.3, beyond any cap."""
    assert weights([0.012] * 100, [0] * 100, level="sequence", upper=3.0, outside="mask") == pytest.approx(
        [math.exp(0.012)] * 100
    )


def test_unknown_choices():
    with pytest.raises(ConfigError, match="token, sequence"):
        weights([0.0], level="turn")
    with pytest.raises(ConfigError, match="truncate, mask"):
        weights([0.0], outside="drop")


def test_value_clip_takes_the_worse_error():
    values, old, returns = torch.tensor([1.0, 1.0, 0.1]), torch.zeros(3), torch.tensor([2.0, 0.0, 0.0])
    loss, diagnostics = value_clip(values, old, returns, clip=0.2)
    assert loss.tolist() == pytest.approx([1.8**2 / 2, 1 / 2, 0.01 / 2])
    assert diagnostics["value_clip_fraction"].tolist() == [1, 0, 0]


def test_without_a_clip_it_is_the_squared_error():
    loss, _ = value_clip(torch.tensor([1.0]), torch.tensor([0.0]), torch.tensor([2.0]), clip=None)
    assert loss.tolist() == [0.5]
