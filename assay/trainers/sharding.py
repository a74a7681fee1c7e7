"""FSDP2 over the processes of one host: each holds a share of every layer's weights, gradients and moments.

The decoder layers are sharded (`fully_shard`), since that is where a model's memory is; embedding, last norm and output
head stay whole on every process, because the trainer reads them outside a forward pass (chunked log-probabilities).
Launch with torchrun; `gloo` works on CPUs.

Invariants, kept together with `parallel.py` and the updater:

* Gradients are summed, never averaged: the weights of tokens are global already.
* Every process makes as many forward and backward passes as any other, with empty ones at the end if need be: each
  pass gathers weights from all, and a process that came short would leave the others waiting for ever.
* The norm that clips the gradient is that of the whole gradient, shares of other processes included.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from assay.core.errors import ConfigError


def shard_layers(model: nn.Module, group: dist.ProcessGroup | None = None) -> int:
    """Shard the decoder layers of a transformers model (or its peft wrapper) in place; return how many there are.

    Call it before the optimiser is made: it replaces the parameters. `torch.distributed` must be initialised.
    """
    from torch.distributed.device_mesh import DeviceMesh
    from torch.distributed.fsdp import fully_shard
    from transformers.modeling_layers import GradientCheckpointingLayer

    layers = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
    if not layers:
        raise ConfigError(f"{type(model).__name__} has no layers that could be sharded")
    device = next(model.parameters()).device.type
    mesh = DeviceMesh.from_group(group or dist.group.WORLD, device)  # type: ignore[arg-type]
    for layer in layers:
        fully_shard(layer, mesh=mesh, reshard_after_forward=True)  # each is the root of its own, and roots would not
        layer.set_gradient_divide_factor(1.0)  # type: ignore[operator]
        layer.set_force_sum_reduction_for_comms(True)  # type: ignore[operator]  # gloo knows no scaled sum
    return len(layers)


def is_sharded(tensor: Tensor) -> bool:
    """Whether a tensor is one process's share of a larger one."""
    from torch.distributed.tensor import DTensor

    return isinstance(tensor, DTensor)


def whole(tensor: Tensor) -> Tensor:
    """Return the whole of a sharded tensor (all processes must ask for it), and any other as it is."""
    gather: Any = getattr(tensor, "full_tensor", None)
    return tensor if gather is None else gather()


def share_like(tensor: Tensor, own: Any) -> Tensor:
    """Return this process's share of a whole tensor, when `own` is a share of such a one; else the tensor as it is."""
    from torch.distributed.tensor import distribute_tensor

    if not is_sharded(own) or tensor.shape != own.shape:
        return tensor
    mesh = own.device_mesh
    return distribute_tensor(tensor.to(own.device), mesh, own.placements, src_data_rank=None)


def lost_process(error: Exception) -> bool:
    """Whether an error says that another process of the run is gone."""
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error))


def whole_state(optimizer: torch.optim.Optimizer, *, keep: bool = True) -> dict[str, Any]:
    """Return the optimiser's state with whole tensors, as one process alone would have it.

    All processes must ask for it together; those that do not `keep` it only send their shares and get empty moments.
    """
    state = optimizer.state_dict()
    moments: dict[int, dict[str, Any]] = {}
    for number, entry in state["state"].items():
        moments[number] = {}
        for name, value in entry.items():
            gathered = whole(value).cpu() if isinstance(value, Tensor) and is_sharded(value) else value
            if keep:
                moments[number][name] = gathered
    return {**state, "state": moments}


def load_whole_state(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Take back what `whole_state` returned, however many processes there were."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    moments = {
        number: {
            name: share_like(value, parameters[number]) if isinstance(value, Tensor) else value
            for name, value in entry.items()
        }
        for number, entry in state["state"].items()
    }
    optimizer.load_state_dict({**state, "state": moments})


@torch.no_grad()
def clip_gradients(parameters: Iterable[nn.Parameter], limit: float, group: dist.ProcessGroup | None) -> float:
    """Scale gradients, of which some are shares, to a common norm of at most `limit`; return the norm before."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    own = [_local(g) for g in gradients if is_sharded(g)]
    shared = [g for g in gradients if not is_sharded(g)]
    total = _squares(own)
    dist.all_reduce(total, group=group)
    norm = float((total + _squares(shared)).sqrt())
    scale = limit / (norm + 1e-6)
    if scale < 1:
        for gradient in [*own, *shared]:
            gradient.mul_(scale)
    return norm


def _local(gradient: Tensor) -> Tensor:
    share: Any = gradient
    local: Tensor = share.to_local()
    return local


def _squares(tensors: Sequence[Tensor]) -> Tensor:
    total = torch.zeros((), dtype=torch.float32)
    for tensor in tensors:
        total = total.to(tensor.device) + tensor.float().square().sum()
    return total
