"""Grading programs: extraction, tests, comparison, credit. Expected values never enter a process of the candidate."""
