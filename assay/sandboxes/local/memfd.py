"""Anonymous files that carry programs in and output out, with no pipe that could fill up and no reader to wait for."""

from __future__ import annotations

import fcntl
import os


def sealed(name: str, content: bytes) -> int:
    """Return a descriptor to read `content` from; nobody who gets it can change it."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        view, written = memoryview(content), 0
        while written < len(view):
            written += os.pwrite(fd, view[written:], written)
        seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    except BaseException:
        os.close(fd)
        raise
    return fd


def empty(name: str) -> int:
    """Return a descriptor to write to."""
    return os.memfd_create(name, os.MFD_CLOEXEC)


def contents(fd: int, cap: int) -> tuple[bytes, bool]:
    """Return at most `cap` bytes from the start, and whether there were more."""
    size = os.fstat(fd).st_size
    return (os.pread(fd, min(size, cap), 0) if size else b""), size > cap
