"""Rules on tool calls."""
