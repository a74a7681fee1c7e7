"""Environments in which the agent uses web pages, through a browser or in process."""
