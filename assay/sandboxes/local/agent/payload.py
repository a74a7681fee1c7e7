"""What a job is told: written by the side that starts it, read in the forked process alone."""

from __future__ import annotations

import marshal
from collections.abc import Mapping, Sequence


def payload(
    *,
    mode: str = "program",
    source: bytes = b"",
    argv: Sequence[str] = (),
    call: bytes | str = "",
    files: Mapping[str, bytes] | None = None,
    env: Mapping[str, str] | None = None,
) -> bytes:
    """Return what `job.run` reads."""
    fields = {"mode": mode, "source": source, "argv": [*argv], "call": call, "files": {**(files or {})}}
    return marshal.dumps({**fields, "env": {**(env or {})}}, 2)
