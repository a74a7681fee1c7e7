"""Names for verifiers and environments, open to other packages through entry points.

A third-party package declares, in its own `pyproject.toml`:

    [project.entry-points."assay.verifiers"]
    parity = "acme_rl.parity:ParityVerifier"

    [project.entry-points."assay.envs"]
    acme = "acme_rl:register_envs"          # called once; it calls gymnasium.register

Nothing is imported until a name is asked for.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar, cast

import gymnasium
from gymnasium.envs.registration import EnvSpec

from assay.core.errors import AssayError, ConfigError, Fault, UnknownNameError, describe
from assay.core.factories import build, refusal

T = TypeVar("T")


class Registry(Generic[T]):
    """Factories by name. A factory is a callable, or `"module:attribute"`, imported when first used."""

    def __init__(self, kind: str, entry_point_group: str | None = None) -> None:
        self.kind, self._group = kind, entry_point_group
        self._factories: dict[str, str | Callable[..., T]] = {}
        self._discovered = entry_point_group is None

    def register(self, name: str, factory: str | Callable[..., T]) -> None:
        """Give a factory a name. A name can be taken once."""
        if name in self._factories and self._factories[name] != factory:
            raise ConfigError(f"{self.kind} {name!r} is registered already, as {self._factories[name]!r}")
        self._factories[name] = factory

    def names(self) -> list[str]:
        """Return all names, sorted, entry points included."""
        self._discover()
        return sorted(self._factories)

    def factory(self, name: str) -> Callable[..., T]:
        """Return the factory. `module:attribute` works for what nobody registered."""
        self._discover()
        found = self._factories.get(name)
        if found is None and ":" in name:
            found = name
        if found is None:
            raise UnknownNameError(self.kind, name, self._factories)
        return load(found) if isinstance(found, str) else found

    def make(self, name: str, /, **options: Any) -> T:
        """Build the thing. What the factory raises is a `ConfigError`, which names the option that is at fault."""
        return cast("T", build(self.kind, name, self.factory(name), options))

    def _discover(self) -> None:
        if self._discovered or self._group is None:
            return
        self._discovered = True
        for point in entry_points(group=self._group):
            self._factories.setdefault(point.name, point.value)


def load(path: str) -> Any:
    """Import `module:attribute`. `ConfigError` when that fails, whatever the module's own code raises."""
    module, _, attribute = path.partition(":")
    if not module.strip("."):
        raise ConfigError(f"cannot load {path!r}: write module:attribute")
    try:
        value: Any = importlib.import_module(module)
        for part in filter(None, attribute.split(".")):
            value = getattr(value, part)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"cannot load {path!r}: {error}") from error
    except Exception as error:
        raise ConfigError(f"cannot load {path!r}: {describe(error)}") from error
    return value


_environments_discovered = False


def discover_environments() -> None:
    """Let every installed package register its environments (entry-point group `assay.envs`). Runs once."""
    global _environments_discovered
    if _environments_discovered:
        return
    _environments_discovered = True
    for point in entry_points(group="assay.envs"):
        _register_from(point)


def _register_from(point: EntryPoint) -> None:
    hook = load(point.value)
    if not callable(hook):
        raise ConfigError(f"entry point {point.name!r} of assay.envs is not callable: {point.value}")
    hook()


def environment_ids() -> list[str]:
    """Return the ids of all language environments: namespace `assay`, and those of entry-point packages."""
    before = {spec_id for spec_id in gymnasium.registry if not spec_id.startswith("assay/")}
    discover_environments()
    return sorted(i for i in gymnasium.registry if i.startswith("assay/") or i not in before or _foreign(i))


def _foreign(env_id: str) -> bool:
    """Whether an id has a namespace that Gymnasium itself does not use."""
    return "/" in env_id and env_id.partition("/")[0] not in {"phys2d", "tabular"}


def make(env_id: str, /, **options: Any) -> gymnasium.Env[Any, Any]:
    """Build an environment by id, as `gymnasium.make` does, with entry points loaded and better errors.

    `module:Class` works for what nobody registered, and Gymnasium's `module:id` for what importing a module registers.
    """
    discover_environments()
    spec = _spec(env_id)
    try:
        # The passive checker would validate every observation of every episode; `assay check` does it once.
        env = gymnasium.make(spec, disable_env_checker=True, **options)
    except (AssayError, Fault):
        raise
    except gymnasium.error.Error as error:
        raise ConfigError(f"environment {env_id!r}: {error}") from error
    except Exception as error:
        raise refusal("environment", env_id, _factory(spec), options, error) from error
    if not hasattr(env.unwrapped, "observation_space"):
        raise ConfigError(
            f"environment {env_id!r} has no observation_space; does its __init__ call super().__init__(...)?"
        )
    return env


def environment_factory(env_id: str) -> Callable[..., gymnasium.Env[Any, Any]]:
    """Return the class, or the function, that builds an environment; `env_id` as in `make`."""
    discover_environments()
    return _factory(_spec(env_id))


def _factory(spec: EnvSpec) -> Callable[..., Any]:
    entry = spec.entry_point
    return load(entry) if isinstance(entry, str) else entry or gymnasium.make


def _spec(env_id: str) -> EnvSpec:
    module, colon, name = env_id.partition(":")
    if colon and env_id not in gymnasium.registry:
        load(module)  # registers what it registers
        if name not in gymnasium.registry:
            if "/" in name:
                raise UnknownNameError("environment", name, environment_ids())
            found = load(env_id)
            if not callable(found) or (inspect.isclass(found) and not issubclass(found, gymnasium.Env)):
                raise ConfigError(f"{env_id!r} is no environment: it is not a subclass of gymnasium.Env")
            return EnvSpec(id=env_id, entry_point=env_id, disable_env_checker=True)
        env_id = name
    if env_id not in gymnasium.registry:
        raise UnknownNameError("environment", env_id, environment_ids())
    return gymnasium.registry[env_id]
