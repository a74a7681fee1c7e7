"""MiniWoB++: the community's small web tasks, from the user's copy of their pages."""
