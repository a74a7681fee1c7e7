"""Families of generated designs: specification, reference and golden model of each from a random generator."""

from assay.envs.verilog.designs.base import TOP, Design, golden
from assay.envs.verilog.designs.catalogue import FAMILIES, DesignGenerator, random_design

__all__ = ["FAMILIES", "TOP", "Design", "DesignGenerator", "golden", "random_design"]
