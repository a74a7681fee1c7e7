"""A precompiled `bits/stdc++.h`: reading the whole C++ library takes longer than most programs take to compile.

It is compiled inside the sandbox from the sandbox's own headers, brought out, and laid into a directory of the
caller's that programs see read-only. The directory's name holds the compiler's version and flags. Without a directory
that can be written, or in a sandbox that does not show it, compiling works as ever, only slower.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from pathlib import Path

from assay.sandboxes.base import Job, Limits, Sandbox
from assay.sandboxes.languages.base import Language
from assay.sandboxes.languages.cache import build_key

NAME = "bits/stdc++.h"
_LIMITS = Limits(cpu_seconds=60, memory_bytes=3 * 2**30, output_bytes=512 * 2**20, disk_bytes=512 * 2**20)


@functools.cache
def directory() -> str | None:
    """Return the directory of precompiled headers, made if need be; None where there can be none."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = base / "assay" / "headers"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return str(path) if path.stat().st_uid == os.getuid() and not path.stat().st_mode & 0o022 else None


def include_flags(sandbox: Sandbox, language: Language, compile_: tuple[str, ...], version: str) -> tuple[str, ...]:
    """Return the flags that make a compile step find the precompiled header; empty where there is none."""
    top = directory()
    if top is None:
        return ()
    flags = tuple(part for part in compile_[1:] if part.startswith("-") and part != "-o")
    home = Path(top) / build_key(language.name, version, flags)[:24]
    built = home / f"{NAME}.gch"
    if not built.exists() and not _compile(sandbox, compile_[0], flags, built):
        return ()
    shown = sandbox.run(Job(argv=("test", "-r", str(built))))
    return ("-I", str(home)) if shown.ok else ()


def _compile(sandbox: Sandbox, compiler: str, flags: tuple[str, ...], built: Path) -> bool:
    if not sandbox.run(Job(argv=("test", "-d", str(built.parents[2])))).ok:
        return False  # this sandbox would not show it
    argv = (compiler, *flags, "-x", "c++-header", "-o", "all.gch", "all.h")
    job = Job(argv=argv, files={"all.h": f"#include <{NAME}>\n".encode()}, fetch=("all.gch",), limits=_LIMITS)
    result = sandbox.run(job)
    content = result.files.get("all.gch")
    if not result.ok or not content:
        return False
    with contextlib.suppress(OSError):
        built.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=built.parent, delete=False) as stream:
            stream.write(content)
        Path(stream.name).chmod(0o644)
        Path(stream.name).replace(built)
        return True
    return False
