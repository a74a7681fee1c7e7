"""Families of vulnerable functions, each with its repair, its attacks, and the behaviour that a repair has to keep."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.errors import UnknownNameError
from assay.envs.code.weaknesses import data, files, injection, secrets, urls
from assay.envs.code.weaknesses.base import Draw, Family, Weakness

_FAMILIES: dict[str, Family] = {
    family.__name__: family for module in (files, injection, data, secrets, urls) for family in module.FAMILIES
}


def family_names() -> tuple[str, ...]:
    """Return the names of all families."""
    return tuple(_FAMILIES)


def draw_weakness(rng: np.random.Generator, families: Sequence[str]) -> Weakness:
    """Return a weakness of one of the families. `UnknownNameError` for a name that is none."""
    for name in families:
        if name not in _FAMILIES:
            raise UnknownNameError("family of weaknesses", name, _FAMILIES)
    draw = Draw(rng)
    return _FAMILIES[draw.one(list(families))](draw)


__all__ = ["Weakness", "draw_weakness", "family_names"]
