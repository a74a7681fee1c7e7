"""The nouns of assay: Task, Message, Tool, Verdict, Trajectory. Imports nothing of ours, and no torch."""
