"""Where this machine keeps its toolchains, for sandboxes that show programs the machine's own files.

Only directories that are recognised as an installation of the tool itself are named; never a home directory.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

_SYSTEM = ("/usr/", "/bin/", "/sbin/", "/lib")
_MARKS = {"node": "include/node/node.h", "javac": "release"}
"""Program -> a file that an installation of it has at its top."""


@functools.cache
def toolchain_homes() -> tuple[str, ...]:
    """Return installations outside of the system's directories, such as rustup's; each has a `bin`."""
    homes = []
    for tool, mark in _MARKS.items():
        found = shutil.which(tool)
        if found is not None:
            home = Path(os.path.realpath(found)).parent.parent
            if not str(home).startswith(_SYSTEM) and home != Path.home() and (home / mark).is_file():
                homes.append(str(home))
    rustc = shutil.which("rustc")
    if rustc is not None and not rustc.startswith(_SYSTEM):
        homes += _rust_home(rustc)
    return tuple(homes)


def _rust_home(rustc: str) -> list[str]:
    """Ask rustup's proxy for the toolchain that it stands for."""
    try:
        answer = subprocess.run([rustc, "--print", "sysroot"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    home = answer.stdout.strip()
    return [home] if (Path(home) / "bin" / "rustc").is_file() else []


def settings() -> list[str]:
    """Return files and directories under /etc that toolchains read."""
    return sorted(map(str, Path("/etc").glob("java-*")))
