"""Auditing graders of code: hacks, certified wrong and right programs."""
