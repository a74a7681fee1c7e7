"""Pure functions by name, their keyword options checked when they are bound and not in the middle of a run."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable
from typing import Any

from assay.core.errors import ConfigError


def bindable(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a factory: called with options, it returns `function` with those keyword-only arguments fixed.

    The factory raises `ConfigError` for an option that the function does not have, or for a missing one that has
    no default. `kind` is what the function is called in messages, such as "loss".
    """
    name = getattr(function, "__name__", repr(function))
    parameters = inspect.signature(function).parameters.values()
    known = {p.name: p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}

    def factory(**options: Any) -> Any:
        for option in options:
            if option not in known:
                near = difflib.get_close_matches(option, known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"options: {', '.join(known) or 'none'}"
                raise ConfigError(f"{kind} {name!r} has no option {option!r}; {hint}")
        missing = [n for n, p in known.items() if p.default is inspect.Parameter.empty and n not in options]
        if missing:
            raise ConfigError(f"{kind} {name!r} needs the option {missing[0]!r}")
        return functools.partial(function, **options)

    factory.__doc__ = function.__doc__
    return factory
