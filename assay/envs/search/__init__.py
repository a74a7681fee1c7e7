"""Environments in which the agent searches for what it needs to know."""
