"""Families of vulnerable functions, each with its repair, its attacks, and the behaviour that a repair has to keep."""

from assay.envs.code.weaknesses.base import Weakness, draw_weakness, family_names

__all__ = ["Weakness", "draw_weakness", "family_names"]
