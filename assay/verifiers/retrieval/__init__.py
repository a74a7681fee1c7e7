"""Rules on rankings: what was retrieved, and in which order."""
