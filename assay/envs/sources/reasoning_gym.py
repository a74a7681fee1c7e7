"""reasoning-gym's generators as a source of tasks.

Their items come from `Random(seed + index)`, so that two neighbouring seeds share nearly all their items. Here each
item has a dataset of its own, of size one, with a hashed seed; and the split is decided by a hash of the question.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from assay.core.errors import ConfigError, UnknownNameError
from assay.core.task import Problem
from assay.envs.procedural import prompt


@lru_cache(maxsize=1)
def _datasets() -> tuple[Mapping[str, tuple[type, type]], Any]:
    try:
        import reasoning_gym
        from reasoning_gym.factory import DATASETS
    except ImportError:
        raise ConfigError("reasoning-gym is not installed: pip install 'assay-rl[reasoning-gym]'") from None
    return DATASETS, reasoning_gym.create_dataset


def dataset_names() -> list[str]:
    """Return the names of all generators."""
    return sorted(_datasets()[0])


def make_dataset(name: str, seed: int, config: Mapping[str, Any]) -> Any:
    """Return reasoning-gym's dataset of one item. `ConfigError` for an unknown name or a setting it refuses."""
    datasets, create = _datasets()
    if name not in datasets:
        raise UnknownNameError("reasoning-gym dataset", name, datasets)
    reserved = {"seed", "size"} & set(config)
    if reserved:
        raise ConfigError(f"reasoning-gym dataset {name!r}: {sorted(reserved)[0]!r} is set by assay, item by item")
    try:
        return create(name, seed=seed, size=1, **config)
    except (TypeError, ValueError, AssertionError) as error:
        raise ConfigError(f"reasoning-gym dataset {name!r}: {error}") from None


@dataclass(frozen=True)
class ReasoningGymGenerator:
    """One item of the dataset `name` for each random generator; `config` holds its settings as JSON text."""

    name: str
    config: str = "{}"
    instructions: str = field(default="", compare=False, repr=False)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return the item of a derived seed (31 bits: what every generator takes)."""
        seed = int(rng.integers(2**31))
        item = make_dataset(self.name, seed, json.loads(self.config))[0]
        return {
            "prompt": prompt(item["question"], self.instructions),
            "key": item["question"],
            "target": None if item["answer"] is None else str(item["answer"]),
            "tags": (self.name,),
            "metadata": {"item": item},
        }
