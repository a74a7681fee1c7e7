"""Bounded shapings of a scalar reward model, as pure functions of a reward and the rewards of references.

Source: PAR (arXiv 2502.18770), whose principles are a bounded reward that rises fast and then converges slowly, as a
function of the reward centred by that of reference answers to the same prompt. With r = 2 and references 0, 1, 2: `par`
0.70395 (k = 2: 0.78760), `tanh` 0.57521, `centred` 1.0, `lsc` -0.61923.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from assay.trainers.advantages.base import FloatArray


def par(reward: float, references: FloatArray, *, k: float = 1.0) -> float:
    """Return the mean of sigmoid(k (r - r_m)): a soft rate of winning against the references."""
    return float(np.mean(1 / (1 + np.exp(-np.clip(k * (reward - references), -500, 500)))))


def sgfc(reward: float, references: FloatArray) -> float:
    """Return `par` of r - 3: slow growth, fast convergence, the shape that the paper argues against."""
    return par(reward - 3.0, references)


def centred(reward: float, references: FloatArray) -> float:
    """Return the mean of r - r_m: centred and not bounded."""
    return float(np.mean(reward - references))


def tanh(reward: float, references: FloatArray) -> float:
    """Squash each centred reward by tanh and return the mean."""
    return float(np.mean(np.tanh(reward - references)))


def arctan(reward: float, references: FloatArray) -> float:
    """Squash each centred reward by arctan and return the mean."""
    return float(np.mean(np.arctan(reward - references)))


def ceiling(reward: float, *, most: float = 3.0) -> float:
    """Return min(r, most); the paper has 3, 4 and 5."""
    return min(reward, most)


def lsc(reward: float, references: FloatArray, *, quantile: float = 0.85) -> float:
    """Return log sigmoid(r - q), q being that quantile of a normal with the references' mean and population std."""
    q = NormalDist(float(np.mean(references)), float(np.std(references)) + 1e-5).inv_cdf(quantile)
    return float(-np.logaddexp(0.0, q - reward))
