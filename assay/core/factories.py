"""Calling what somebody registered: a factory's complaint becomes one line that says which option is to be mended.

Invariants:

* Whatever a factory raises, but `AssayError` and `Fault`, is a `ConfigError` that is chained to it: the command line
  prints one line, and in Python the traceback still ends in the author's own code.
* An option is blamed only for what the factory's signature says; otherwise the line names the exception and its place.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from assay.core.errors import AssayError, ConfigError, Fault, describe

_UNKNOWN = re.compile(r"unexpected keyword argument '(\w+)'")
_MISSING = re.compile(r"missing \d+ required .*?arguments?: '(\w+)'")
_SIMPLE: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "str": (str,),
    "bool": (bool,),
    "None": (type(None),),
}


def build(kind: str, name: str, factory: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    """Return `factory(**options)`. `ConfigError` when it raises; `kind` and `name` are what the message calls it."""
    try:
        return factory(**options)
    except (AssayError, Fault):
        raise
    except Exception as error:
        raise refusal(kind, name, factory, options, error) from error


def refusal(
    kind: str, name: str, factory: Callable[..., Any], options: Mapping[str, Any], error: Exception
) -> ConfigError:
    """Return the error to raise where `factory(**options)` raised `error`."""
    first = error.__context__
    if isinstance(first, Exception) and str(first) and str(error).startswith(str(first)):
        error = first  # Gymnasium raises a TypeError again, with more words and without the place
    parameters = options_of(factory)
    unknown, missing = _UNKNOWN.search(str(error)), _MISSING.search(str(error))
    if unknown and unknown[1] in options:
        return ConfigError(no_option(kind, name, unknown[1], parameters))
    if missing and missing[1] in parameters and missing[1] not in options:
        return ConfigError(f"{kind} {name!r} needs the option {missing[1]!r}")
    for option, value in options.items():
        if option in parameters and (wanted := wrong_type(parameters[option].annotation, value)):
            return ConfigError(f"{kind} {name!r}: option {option!r} must be {wanted}, not {value!r}")
    return ConfigError(f"{kind} {name!r} cannot be made: {describe(error)}")


def no_option(kind: str, name: str, option: str, known: Mapping[str, Any]) -> str:
    """Say that there is no such option, and which one may have been meant."""
    near = difflib.get_close_matches(option, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"options: {', '.join(known) or 'none'}"
    return f"{kind} {name!r} has no option {option!r}; {hint}"


def wrong_type(annotation: Any, value: Any) -> str:
    """Return what a value had to be, such as `int | None`; empty when it is that, or when the annotation is not simple.

    >>> wrong_type("float | None", "abc")
    'float | None'
    """
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    kinds = [part.strip() for part in text.split("|")]
    if any(kind not in _SIMPLE for kind in kinds):
        return ""
    if isinstance(value, bool):  # an int to Python, and never what is meant
        return "" if "bool" in kinds else text
    return "" if any(isinstance(value, _SIMPLE[kind]) for kind in kinds) else text


def options_of(factory: Any) -> dict[str, inspect.Parameter]:
    """Return the options of a factory: the keyword arguments of a function, or of a class and of those whose `**kwargs`
    it passes on.
    """
    functions = (
        [vars(c)["__init__"] for c in inspect.getmro(factory)[:-1] if "__init__" in vars(c)]
        if inspect.isclass(factory)
        else [factory]
    )
    found: dict[str, inspect.Parameter] = {}
    for function in functions:
        parameters = inspect.signature(function).parameters.values()
        for parameter in parameters:
            if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                found.setdefault(parameter.name, parameter)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return {name: parameter for name, parameter in found.items() if name not in ("self", "render_mode")}
