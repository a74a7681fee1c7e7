"""Is there room for episodes in the model's context? Where prompts fill it, every answer is cut and earns nothing.

Invariant: what no answer can follow is one error before the first step (`check_room`); prompts that grow in the course
of an episode are known only when it is played, and counted then (`Trajectory.fills`).
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.core.errors import ConfigError
from assay.trainers.config import TrainConfig


def check_room(config: TrainConfig, prompts: Sequence[int], context: int) -> str | None:
    """Compare the lengths of opening prompts with the context, both in tokens.

    Returns what to tell when some prompts leave no room for an answer; `ConfigError` when none does.
    """
    full = sum(length >= context for length in prompts)
    if not full:
        return None
    mend = (
        f"set model.max_positions to at least {max(prompts) + config.rollout.max_tokens}, "
        "which is the longest one with rollout.max_tokens, and several turns need more"
        if config.model.path is None and config.rollout.engine_options.get("max_context") is None
        else "take a model or an engine option with a longer context, or an environment that says less"
    )
    if full == len(prompts):
        raise ConfigError(
            f"no room for an answer: the prompts have {min(prompts)} tokens and more, the model reads {context}; {mend}"
        )
    return (
        f"{full} of the first {len(prompts)} prompts have up to {max(prompts)} tokens, and the model reads {context}: "
        f"their episodes earn nothing; {mend}"
    )
