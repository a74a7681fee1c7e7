"""Process rewards without a process reward model: what one policy finds more likely than another.

The reward of a token is β·log(π(token) / π_ref(token)), that of a step the sum over its tokens. When π was trained on
outcomes against π_ref, the sum over a prefix is the log-odds that the whole will turn out right (arXiv 2412.01981; with
π_ref the previous policy these are the implicit step rewards of iStar, arXiv 2509.19199, β = 0.05).
Log-ratios [2, −1] in two steps with β = .05 make the rewards [.1, −.05].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise


def implicit_step_rewards(log_ratios: Sequence[float], ends: Sequence[int], *, beta: float = 0.05) -> list[float]:
    """Return the reward of each step.

    Args:
        log_ratios: log π − log π_ref of each token, in nats.
        ends: for each step the number of tokens up to its end, not decreasing; tokens beyond the last one do not count.
        beta: the scale of the log-odds.
    """
    if any(end < start for start, end in pairwise((0, *ends))) or (ends and ends[-1] > len(log_ratios)):
        raise ValueError(f"the ends of the steps {list(ends)} do not fit {len(log_ratios)} tokens")
    return [beta * math.fsum(log_ratios[start:end]) for start, end in pairwise((0, *ends))]


def prefix_probabilities(step_rewards: Sequence[float]) -> list[float]:
    """Return, after each step, the probability of a right outcome that the rewards so far imply."""
    return [1 / (1 + math.exp(-max(min(odds, 700.0), -700.0))) for odds in accumulate(step_rewards)]
