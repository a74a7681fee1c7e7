"""Drivers: two ways to use the same site, in process for speed and with a real browser for truth."""
