"""What several commands share: consoles, option parsing, number formatting."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from assay.core.errors import ConfigError
from assay.core.yaml_text import read_value

out = Console()
err = Console(stderr=True)


def parse_options(pairs: Sequence[str]) -> dict[str, Any]:
    """Turn `key=value` words into a dict, values read as YAML (`3` is a number, `[1, 2]` a list)."""
    options: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise ConfigError(f"{pair!r} is not of the form key=value")
        options[key] = read_value(text)
    return options


def check_output(path: Path | None) -> None:
    """Refuse a file that cannot be written, before the work that is to fill it."""
    if path is not None and path.is_dir():
        raise ConfigError(f"{path}: is a directory; name a file")
    if path is not None and not path.absolute().parent.is_dir():
        raise ConfigError(f"{path}: cannot be written: there is no directory {path.parent}")
    if path is not None and not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise ConfigError(f"{path}: cannot be written: permission denied")


def write_output(path: Path, text: str) -> None:
    """Write a file that the user named."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None


_UNITS = {"ms": 1.0, "s": 1000.0, "min": 60_000.0}


def milliseconds(text: str | None) -> float | None:
    """Read a duration such as `250ms`, `1s` or `0.5s`; None stays None."""
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|min)\s*", text)
    if not found:
        raise ConfigError(f"{text!r} is no duration; write it as 250ms, 1s or 2min")
    return float(found[1]) * _UNITS[found[2]]


def percent(value: float | None) -> str:
    """Return a share as a percentage with one decimal."""
    return "-" if value is None else f"{100 * value:.1f} %"


def interval(low: float, high: float) -> str:
    """Return an interval of shares."""
    return f"[{100 * low:.1f}, {100 * high:.1f}]"
