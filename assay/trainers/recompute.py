"""Activation checkpointing: keep the input of each layer only, and compute the rest again in the backward pass.

transformers recomputes layers that are in training mode. The policy never is, since dropout would make the trainer's
log-probabilities differ from the engine's; so only the layers themselves are marked, and what is inside them stays in
evaluation mode.
"""

from __future__ import annotations

from typing import Any

from assay.core.errors import ConfigError


def recompute_activations(model: Any) -> None:
    """Let every layer of `model` recompute its activations. `ConfigError` for a model that cannot."""
    from transformers.modeling_layers import GradientCheckpointingLayer

    core: Any = model.get_base_model() if hasattr(model, "get_base_model") else model
    if not getattr(core, "supports_gradient_checkpointing", False):
        raise ConfigError(f"optim.activation_checkpointing: {type(core).__name__} cannot recompute its layers")
    core.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    for module in core.modules():
        if isinstance(module, GradientCheckpointingLayer):
            module.training = True
