"""Pure functions by name, their keyword options checked when they are bound and not in the middle of a run."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from assay.core.errors import ConfigError
from assay.core.factories import no_option, wrong_type


def bindable(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a factory: called with options, it returns `function` with those keyword-only arguments fixed.

    The factory raises `ConfigError` for an option that the function does not have, for a value of another type than its
    annotation, where that is simple, and for a missing option without a default. `kind` is what the function is called
    in messages, such as "loss".
    """
    name = getattr(function, "__name__", repr(function))
    parameters = inspect.signature(function).parameters.values()
    known = {p.name: p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}

    def factory(**options: Any) -> Any:
        for option, value in options.items():
            if option not in known:
                raise ConfigError(no_option(kind, name, option, known))
            if wanted := wrong_type(known[option].annotation, value):
                raise ConfigError(f"{kind} {name!r}: option {option!r} must be {wanted}, not {value!r}")
        missing = [n for n, p in known.items() if p.default is inspect.Parameter.empty and n not in options]
        if missing:
            raise ConfigError(f"{kind} {name!r} needs the option {missing[0]!r}")
        return functools.partial(function, **options)

    factory.__doc__ = function.__doc__
    factory.__signature__ = inspect.Signature(list(known.values()))  # type: ignore[attr-defined]
    return factory
