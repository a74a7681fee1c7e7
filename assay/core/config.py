"""Configurations: YAML files plus `key=value` overrides, validated, unknown keys refused with a suggestion."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from assay.core.errors import ConfigError

M = TypeVar("M", bound=BaseModel)


class Config(BaseModel):
    """Base of all configurations: unknown keys are errors, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def load_config(model: type[M], path: str | Path | None = None, overrides: Sequence[str] = ()) -> M:
    """Read a YAML file, apply `dotted.key=value` overrides (values in YAML), and validate.

    Raises `ConfigError` with one line that names the key, and the nearest known key for a misspelt one.
    """
    values: Any = {}
    if path is not None:
        try:
            values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
        if not isinstance(values, dict):
            raise ConfigError(f"{path}: a configuration is a mapping of keys to values")
    for override in overrides:
        _apply(values, override)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_explain(model, error, path)) from None


def _apply(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"override {override!r} is not of the form key=value")
    *parents, last = key.split(".")
    node = values
    for parent in parents:
        child = node.setdefault(parent, {})
        if not isinstance(child, dict):
            raise ConfigError(f"override {override!r}: {parent!r} is not a section")
        node = child
    try:
        node[last] = yaml.safe_load(text)
    except yaml.YAMLError:
        node[last] = text


def _explain(model: type[BaseModel], error: ValidationError, path: str | Path | None) -> str:
    first = error.errors()[0]
    location = [str(part) for part in first["loc"]]
    where = ".".join(location)
    prefix = f"{path}: " if path is not None else ""
    if first["type"] == "extra_forbidden":
        known = _known_keys(model, location[:-1])
        near = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(known))}"
        return f"{prefix}unknown key {where!r}; {hint}"
    message = first["msg"].removeprefix("Value error, ")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{prefix}{where}: {message}{more}" if where else f"{prefix}{message}{more}"


def _known_keys(model: type[BaseModel], parents: Sequence[str]) -> list[str]:
    current: Any = model
    for parent in parents:
        fields = getattr(current, "model_fields", {})
        if parent not in fields:
            continue
        annotation = fields[parent].annotation
        options = [annotation, *getattr(annotation, "__args__", ())]
        current = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), current)
    return list(getattr(current, "model_fields", {}))
