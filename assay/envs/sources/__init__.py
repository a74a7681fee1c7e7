"""Task sources that other packages provide."""
