"""GRPO: the reward's z-score within its group (DeepSeekMath, arXiv 2402.03300, section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from assay.core.trajectory import Group
from assay.trainers.advantages.base import Advantages, per_trajectory, standardise


def grpo(groups: Sequence[Group], *, ddof: int = 1, eps: float = 1e-6) -> Advantages:
    """Return A_i = (R_i - mean_g) / (std_g + eps), the same for all turns of a trajectory.

    Implementations differ in `ddof` (1 in most that use torch's default, 0 in some) and `eps` (1e-4 to 1e-9); both
    are explicit here, since with small groups they change the size of every update.
    """
    return per_trajectory(groups, partial(standardise, ddof=ddof, eps=eps))
