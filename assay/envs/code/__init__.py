"""Write, repair and use programs; what runs, runs in a sandbox."""
