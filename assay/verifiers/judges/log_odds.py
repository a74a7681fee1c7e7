"""Reading yes or no from the probabilities of an answer's first token: r = log p(yes) − log p(no).

With p(yes) = .8 and p(no) = .2, r = 1.3863 nats (the reward of RLBFF, arXiv 2509.21319; WebRL reads its outcome reward
in the same way). Spellings count together: "yes", " Yes" and "YES" are one answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

TOP = 20
"""How many first tokens are looked at; endpoints give no more."""

_AROUND = " \t\r\n.,:;!\"'`*_▁Ġ"


def read_log_odds(logprobs: Sequence[tuple[str, float]], *, minimum_mass: float = 0.5) -> float:
    """Return log p(yes) − log p(no) from the most probable first tokens, best first.

    An answer that is not among them has at most the probability of the last one, and at most what all of them leave
    over; that bound stands for it, so the odds are never overstated.

    Raises:
        ValueError: yes and no together have less than `minimum_mass`, or a probability cannot be one.
    """
    mass = {"yes": 0.0, "no": 0.0}
    listed = 0.0
    for token, logprob in logprobs:
        if math.isnan(logprob) or logprob > 1e-3:
            raise ValueError(f"{logprob} is the log of no probability")
        listed += math.exp(logprob)
        word = token.strip(_AROUND).casefold()
        if word in mass:
            mass[word] += math.exp(logprob)
    if not sum(mass.values()) >= max(minimum_mass, 1e-12):
        raise ValueError(f"yes and no have a probability of {sum(mass.values()):.2g} together")
    bound = max(min(math.exp(logprobs[-1][1]), 1.0 - listed), 1e-12)
    return math.log(mass["yes"] or bound) - math.log(mass["no"] or bound)


def probability(log_odds: float) -> float:
    """Return p(yes) / (p(yes) + p(no))."""
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    return math.exp(log_odds) / (1.0 + math.exp(log_odds))
