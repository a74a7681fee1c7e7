"""Grading hardware designs: parsed, synthesised and simulated in the sandbox, compared outside of it."""
