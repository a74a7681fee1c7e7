"""What a job can see: the directories of the system and of the interpreter, and a small environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from assay.core.errors import ConfigError
from assay.sandboxes.languages import headers, host

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")

PRELOADS: dict[str, tuple[str, ...]] = {
    "plain": (
        "collections", "itertools", "functools", "operator", "math", "cmath", "re", "string", "heapq", "bisect",
        "random", "copy", "typing", "dataclasses", "datetime", "decimal", "fractions", "statistics", "json", "io",
        "inspect", "traceback", "queue", "array", "textwrap", "abc", "enum",
    ),
    "numpy": ("numpy", "numpy.random", "numpy.linalg"),
    "sympy": ("numpy", "sympy"),
    "verilog": ("pyslang", "pyslang.ast", "pyslang.parsing", "pyslang.syntax"),
}  # fmt: skip
"""Sets of modules that the zygote imports, so that a job's import costs nothing. All include `plain`.

Every shared library adds to the price of every fork, so `plain` leaves out what brings many and is seldom imported:
hashlib (OpenSSL), tempfile (the compression libraries), subprocess.
"""

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "HOME": "/box",
    "TMPDIR": "/box",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""All that a job inherits. Hash order is fixed, so that a verdict does not depend on it."""

BINDING = {"LD_BIND_NOW": "1"}
"""For the zygote alone, which then binds the symbols of its libraries once; otherwise every job does it again."""


def environment() -> dict[str, str]:
    """Return the zygote's environment, with the interpreter's and the toolchains' directories on the path."""
    toolchains = [f"{home}/bin" for home in host.toolchain_homes()]
    path = ":".join([str(Path(sys.executable).parent), *toolchains, ENVIRONMENT["PATH"]])
    return {**ENVIRONMENT, **BINDING, "PATH": path}


def preload(name: str) -> tuple[str, ...]:
    """Return the modules of a set. Raises `ConfigError` for an unknown one."""
    if name not in PRELOADS:
        raise ConfigError(f"unknown preload set {name!r}; known: {', '.join(PRELOADS)}")
    return PRELOADS["plain"] + (PRELOADS[name] if name != "plain" else ())


def trees(extra: Sequence[str] = ()) -> list[str]:
    """Return the absolute paths that jobs may read, parents before children, none inside another."""
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    real = {os.path.realpath(path) for path in (sys.executable, *prefixes)}
    toolchains = [*host.settings(), *host.toolchain_homes(), *filter(None, [headers.directory()])]
    wanted = [*_SYSTEM, *_SETTINGS, *toolchains, *extra, *sorted(prefixes | {_home_of(path) for path in real})]
    found: list[str] = []
    for path in wanted:
        inside = any(path == other or path.startswith(other + "/") for other in found if not Path(other).is_symlink())
        if os.path.lexists(path) and not inside and path != "/":
            found.append(path)
    return found


def _home_of(path: str) -> str:
    """Return the installation that an interpreter's real path belongs to: `<home>/bin/python3.11`."""
    location = Path(path)
    return str(location.parent.parent) if location.is_file() and location.parent.name == "bin" else str(location)


def open_to_others(path: str) -> bool:
    """Whether a stranger's process can reach the directory."""
    return all(step.stat().st_mode & 0o001 for step in (Path(path), *Path(path).parents))
