"""Everything that has a name: what `assay list` prints and `assay explain` looks up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from assay.core.registry import Registry, environment_factory, environment_ids


@dataclass(frozen=True, slots=True)
class Named:
    """A thing that can be used by name."""

    name: str
    load: Callable[[], Any]
    """Returns the class or function. `AssayError` when it cannot be imported."""
    settings: str = ""
    """Section of the training configuration that holds its options; they are its own parameters otherwise."""


def _environments() -> Iterator[Named]:
    return (Named(env_id, partial(environment_factory, env_id)) for env_id in environment_ids())


def _verifiers() -> Iterator[Named]:
    from assay.verifiers import VERIFIERS

    return _registered(VERIFIERS)


def _advantages() -> Iterator[Named]:
    from assay.trainers.advantages import ADVANTAGES, gae

    yield Named("gae", lambda: gae, settings="algorithm.critic")  # the trainer calls it itself: it needs the critic
    yield from _registered(ADVANTAGES)


def _losses() -> Iterator[Named]:
    from assay.trainers.losses import LOSSES

    return _registered(LOSSES)


def _registered(registry: Registry[Any]) -> Iterator[Named]:
    return (Named(name, partial(registry.factory, name)) for name in registry.names())


SECTIONS: Mapping[str, Callable[[], Iterator[Named]]] = {
    "environments": _environments,
    "verifiers": _verifiers,
    "advantages": _advantages,
    "losses": _losses,
}
"""Kinds of things, in the order in which they are listed."""
