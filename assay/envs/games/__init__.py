"""Games: rules (`game.Game`) apart from environments (`base.GameEnv`), so that agents can also play each other."""
