"""The zygote: a small process that has imported what jobs will import, and forks slots on request.

It is executed, not forked, so it holds nothing of the caller's memory, and it runs no job itself. It ends when the
client's socket closes; slots that exist go on without it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import socket
import sys

from . import job, linux, memory
from .setup import become_slot, reserve_descriptors


def main() -> None:
    """Serve spawn requests.

    `argv`: the control socket, as a descriptor or a path; names of environment variables to keep; modules to import.
    """
    control = _connect(sys.argv[1])
    for name in os.environ.keys() - set(sys.argv[2].split(",")):  # an image brings its own
        del os.environ[name]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in sys.argv[3:]:
        with contextlib.suppress(ImportError):  # a set names what to load where it is installed
            importlib.import_module(name)
    sys.argv = [""]
    control = _move_up(control)
    job.open_streams()
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)  # slots are orphans; here they vanish as soon as they have died
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError):
        memory.join_areas()
        memory.enlarge_code()
        memory.enlarge_data()
    control.send(json.dumps({"address_space": _address_space()}).encode())
    while True:
        data, fds, _, _ = socket.recv_fds(control, 1 << 16, 1)
        if not data:
            return
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            become_slot(json.loads(data), socket.socket(fileno=fds[0]))
        os.close(fds[0])
        control.send(json.dumps({"pid": pid}).encode())


def _connect(address: str) -> socket.socket:
    if address.isdigit():
        return socket.socket(fileno=int(address))
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.connect(address)
    return control


def _move_up(control: socket.socket) -> socket.socket:
    """Give the control socket a descriptor above the reserved ones."""
    reserve_descriptors()
    moved = socket.socket(fileno=os.dup(control.fileno()))
    control.close()
    reserve_descriptors()
    return moved


def _address_space() -> int:
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[0]) * resource.getpagesize()
