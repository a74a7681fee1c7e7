"""Keeps what was read from a file until the file changes: a run makes hundreds of environments over one."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, TypeVar, cast

Load = TypeVar("Load", bound=Callable[..., Any])
_FILES = 8


def kept(load: Load) -> Load:
    """Return `load`, whose first argument is a file, so that it reads the file once, for the last few of them.

    All callers share what it returns, so it must be something that nobody changes; the arguments must be hashable.
    Names that are no files, such as those of datasets on a hub, are taken to stay as they are.
    """

    @lru_cache(maxsize=_FILES)
    def remembered(stamp: tuple[int, int], source: str | Path, *args: Any, **options: Any) -> Any:
        return load(source, *args, **options)

    @wraps(load)
    def loaded(source: str | Path, *args: Any, **options: Any) -> Any:
        return remembered(_stamp(source), source, *args, **options)

    return cast(Load, loaded)


def _stamp(path: str | Path) -> tuple[int, int]:
    """Return what changes when a file changes."""
    try:
        status = Path(path).stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
