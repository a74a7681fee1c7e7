"""Names for verifiers and environments, open to other packages through entry points.

A third-party package declares, in its own `pyproject.toml`:

    [project.entry-points."assay.verifiers"]
    parity = "acme_rl.parity:ParityVerifier"

    [project.entry-points."assay.envs"]
    acme = "acme_rl:register_envs"          # called once; it calls gymnasium.register

Nothing is imported until a name is asked for.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

import gymnasium

from assay.core.errors import ConfigError, UnknownNameError

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

    def make(self, name: str, **options: Any) -> T:
        """Build the thing. An option that the factory does not know is a `ConfigError`."""
        factory = self.factory(name)
        try:
            return factory(**options)
        except TypeError as error:
            refuse_options(self.kind, name, factory, error)
            raise

    def _discover(self) -> None:
        if self._discovered or self._group is None:
            return
        self._discovered = True
        for point in entry_points(group=self._group):
            self._factories.setdefault(point.name, point.value)


def load(path: str) -> Any:
    """Import `module:attribute`."""
    module, _, attribute = path.partition(":")
    try:
        value: Any = importlib.import_module(module)
        for part in filter(None, attribute.split(".")):
            value = getattr(value, part)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"cannot load {path!r}: {error}") from error
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


def make(env_id: str, **options: Any) -> gymnasium.Env[Any, Any]:
    """Build an environment by id, as `gymnasium.make` does, with entry points loaded and better errors."""
    discover_environments()
    if ":" not in env_id and env_id not in gymnasium.registry:
        raise UnknownNameError("environment", env_id, environment_ids())
    try:
        # The passive checker would validate every observation of every episode; `assay check` does it once.
        return gymnasium.make(env_id, disable_env_checker=True, **options)
    except gymnasium.error.Error as error:
        raise ConfigError(f"environment {env_id!r}: {error}") from error
    except TypeError as error:
        entry = gymnasium.spec(env_id).entry_point
        refuse_options("environment", env_id, load(entry) if isinstance(entry, str) else entry, error)
        raise


_UNKNOWN_OPTION = re.compile(r"unexpected keyword argument '(\w+)'")
_MISSING_OPTION = re.compile(r"missing \d+ required .*?arguments?: '(\w+)'")


def refuse_options(kind: str, name: str, factory: Any, error: TypeError) -> None:
    """Raise `ConfigError` when `error` says that the factory was called with the wrong options; else do nothing."""
    if missing := _MISSING_OPTION.search(str(error)):
        raise ConfigError(f"{kind} {name!r} needs the option {missing[1]!r}") from error
    if unknown := _UNKNOWN_OPTION.search(str(error)):
        known = _options(factory)
        near = difflib.get_close_matches(unknown[1], known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"options: {', '.join(known) or 'none'}"
        raise ConfigError(f"{kind} {name!r} has no option {unknown[1]!r}; {hint}") from error


def _options(factory: Any) -> list[str]:
    """Return the keyword arguments of a function, or of a class and of those whose `**kwargs` it passes on."""
    functions = (
        [vars(c)["__init__"] for c in inspect.getmro(factory)[:-1] if "__init__" in vars(c)]
        if inspect.isclass(factory)
        else [factory]
    )
    names: dict[str, None] = {}
    for function in functions:
        parameters = inspect.signature(function).parameters.values()
        names.update({p.name: None for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)})
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return [name for name in names if name not in ("self", "render_mode")]
