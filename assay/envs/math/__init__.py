"""Mathematics: arithmetic with visible working, Countdown, and word problems from data files."""
