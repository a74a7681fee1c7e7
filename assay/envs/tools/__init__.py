"""Environments in which the agent calls tools."""

from assay.envs.tools.base import ToolEnv

__all__ = ["ToolEnv"]
