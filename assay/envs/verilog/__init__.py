"""Hardware design: write modules that simulate and synthesise as they should."""
