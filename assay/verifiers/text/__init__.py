"""Rules on text: exact match, choices, numbers, expressions, formats, JSON, instructions and overlap metrics."""
