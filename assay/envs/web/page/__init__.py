"""Pages as agents see them: documents, accessibility trees with element ids, and their text."""
