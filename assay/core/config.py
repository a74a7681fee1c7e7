"""Configurations: YAML files plus `key=value` overrides, validated, unknown keys refused with a suggestion."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from assay.core.errors import ConfigError
from assay.core.yaml_text import read_file, read_value

M = TypeVar("M", bound=BaseModel)


class Config(BaseModel):
    """Base of all configurations: unknown keys are errors, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def load_config(model: type[M], path: str | Path | None = None, overrides: Sequence[str] = ()) -> M:
    """Read a YAML file, apply `dotted.key=value` overrides (values in YAML), and validate.

    Raises `ConfigError` with one line that names the key, and the nearest known key for a misspelt one.
    """
    values = {} if path is None else read_file(path)
    for override in overrides:
        _apply(values, override)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_explain(model, error, path, overrides)) from None


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
    node[last] = read_value(text)


def _explain(model: type[BaseModel], error: ValidationError, path: str | Path | None, overrides: Sequence[str]) -> str:
    first = error.errors()[0]
    location = [str(part) for part in first["loc"]]
    where = ".".join(location)
    named = any(_touches(override.partition("=")[0], where) for override in overrides)
    prefix = "" if path is None or named else f"{path}: "  # what the command line got wrong is not the file's fault
    if first["type"] == "extra_forbidden":
        known = _known_keys(model, location[:-1])
        near = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(known))}"
        return f"{prefix}unknown key {where!r}; {hint}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] in ("model_type", "model_attributes_type"):
        message = f"is a section of the keys {', '.join(_known_keys(model, location))}; it is not {first['input']!r}"
    elif isinstance(first["input"], str | int | float | None) and first["type"] not in ("missing", "value_error"):
        message += f", not {first['input']!r}"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{prefix}{where}: {message}{more}" if where else f"{prefix}{message}{more}"


def _touches(key: str, where: str) -> bool:
    """Whether a dotted key is the place of an error, or lies within it or around it."""
    return bool(where) and (f"{key}.".startswith(f"{where}.") or f"{where}.".startswith(f"{key}."))


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
