"""The messages between a client and a slot: fixed layouts, so that neither side parses more than numbers and names.

A packet from the client starts with an operation: `RUN` is followed by the limits and the names of files to bring
back, and comes with the job's descriptors; `INTERRUPT` and `KILL` stand alone. A packet from the slot is the account
of one job.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

RUN, INTERRUPT, KILL = b"r", b"i", b"k"
PAYLOAD, RESULT, CHANNEL, ERRORS = 3, 4, 5, 6
"""A job's descriptors, after stdin, stdout and stderr."""
MAX_PACKET = 1 << 17
_REQUEST = struct.Struct("=ddd7q")
_REPLY = struct.Struct("=i?ddq??H")
_SIZE = struct.Struct("=q")
_NOT_A_FILE = -1


class Request(NamedTuple):
    """What a job may use. Sizes are in bytes; 0 stands for no limit of the address space."""

    cpu: float
    wall: float
    latest: float
    """The latest end: later than `wall` for a job that had to wait for a processor."""
    address_space: int
    file_size: int
    open_files: int
    processes: int
    stack: int
    disk: int
    output: int
    """Of each file that is brought back."""

    def pack(self, fetch: tuple[str, ...]) -> bytes:
        """Return the packet."""
        return RUN + _REQUEST.pack(*self) + "\0".join(fetch).encode("utf-8", "surrogateescape")


def unpack_request(packet: bytes) -> tuple[Request, list[str]]:
    """Return what `Request.pack` was given."""
    end = 1 + _REQUEST.size
    names = packet[end:].decode("utf-8", "surrogateescape")
    return Request(*_REQUEST.unpack_from(packet, 1)), names.split("\0") if names else []


class Reply(NamedTuple):
    """How a job ended, as its slot saw it."""

    status: int
    """Wait status of the main process."""
    killed: bool
    """Whether the slot ended it: its time was over, or the client asked."""
    cpu: float
    wall: float
    peak: int
    out_of_memory: bool = False
    """Whether the slot's control group killed for want of memory, where the slot can see that."""
    out_of_processes: bool = False
    fetched: tuple[int | None, ...] = ()
    """Bytes of each file that was brought back; None for what is no regular file."""
    setup: str = ""
    """Why the job could not be confined, in which case nothing of it ran."""

    def pack(self) -> bytes:
        """Return the packet."""
        sizes = [_SIZE.pack(_NOT_A_FILE if size is None else size) for size in self.fetched]
        head = _REPLY.pack(*self[:7], len(sizes))
        return b"".join([head, *sizes, self.setup.encode("utf-8", "replace")])


def unpack_reply(packet: bytes) -> Reply:
    """Return what was packed. Raises `ValueError` for anything else."""
    try:
        status, killed, cpu, wall, peak, memory, processes, count = _REPLY.unpack_from(packet)
        end = _REPLY.size + count * _SIZE.size
        sizes = [size for (size,) in _SIZE.iter_unpack(packet[_REPLY.size : end])]
        if len(sizes) != count:
            raise ValueError("a packet that is cut off")
    except struct.error as error:
        raise ValueError(str(error)) from None
    fetched = tuple(None if size == _NOT_A_FILE else size for size in sizes)
    return Reply(status, killed, cpu, wall, peak, memory, processes, fetched, packet[end:].decode("utf-8", "replace"))
