"""Jobs of the slot's own: they find out which pages every job writes to, so that the slot can pin them.

Everything happens as for the client's jobs, confinement included. The program does nothing but tell what it has written
to so far; pages that only some programs write to are better left to their faults.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from . import memory, wire
from .payload import payload

_JOBS = 2
"""The first one writes to more pages than those that follow."""
_REQUEST = wire.Request(
    cpu=10.0,
    wall=30.0,
    latest=30.0,
    address_space=0,
    file_size=1 << 24,
    open_files=64,
    processes=64,
    stack=1 << 23,
    disk=0,
    output=1 << 20,
)


def pages_written(slot: socket.socket, answer: Callable[[], None], disk: int) -> list[tuple[int, int]]:
    """Return the runs of pages, as (start, end).

    `slot`: where to send requests, of which `answer` serves one. `disk`: as in requests, the box's present size.
    """
    pages = memory.Pages()
    told = payload(source=pages.program())
    for _ in range(_JOBS):
        fds = [os.memfd_create("rehearsal", os.MFD_CLOEXEC) for _ in range(5)]
        try:
            os.pwrite(fds[3], told, 0)
            socket.send_fds(slot, [_REQUEST._replace(disk=disk).pack(())], [*fds, fds[4]])
            answer()
            slot.recv(wire.MAX_PACKET)
            entries = os.pread(fds[2], _REQUEST.output, 0)
        finally:
            for fd in fds:
                os.close(fd)
    return pages.written(entries[: len(entries) // 8 * 8])
