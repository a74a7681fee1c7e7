"""Landlock: which files a job can reach, whatever its user id and the mounts say.

A ruleset names what is allowed; all else is refused, and so is every TCP port, every abstract socket and every signal
that leads out of the job (as far as the kernel's ABI goes). Rules hold for inodes: after the box has been mounted anew
its rule must be made anew.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from . import linux

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_MAKE_CHAR, _MAKE_BLOCK, _TRUNCATE = 1 << 6, 1 << 11, 1 << 14
_FS_BITS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1

READ = _EXECUTE | _READ_FILE | _READ_DIR
SIGNAL_SCOPE_ABI = 6
"""From this ABI on a job cannot signal processes outside of itself."""


def abi() -> int:
    """Return the kernel's Landlock ABI version, 0 without Landlock."""
    try:
        return linux.syscall(
            "landlock_create_ruleset", linux.SYS_LANDLOCK_CREATE_RULESET, 0, 0, _CREATE_RULESET_VERSION
        )
    except OSError:
        return 0


def ruleset(version: int, readable: Iterable[str], writable: Iterable[str], devices: Iterable[str]) -> int:
    """Return the descriptor of a ruleset: trees to read and execute, trees to write, device files to read and write."""
    everything = (1 << _FS_BITS.get(version, 16)) - 1
    attributes = struct.pack("=QQQ", everything, 3 if version >= 4 else 0, 3 if version >= SIGNAL_SCOPE_ABI else 0)
    size = 24 if version >= SIGNAL_SCOPE_ABI else 16 if version >= 4 else 8
    ruleset_fd = linux.syscall(
        "landlock_create_ruleset", linux.SYS_LANDLOCK_CREATE_RULESET, ctypes.c_char_p(attributes), size, 0
    )
    for path in readable:
        _allow(ruleset_fd, path, READ if os.path.isdir(path) else _EXECUTE | _READ_FILE)
    for path in writable:
        _allow(ruleset_fd, path, everything & ~(_MAKE_CHAR | _MAKE_BLOCK))
    for path in devices:
        _allow(ruleset_fd, path, (_READ_FILE | _WRITE_FILE | _TRUNCATE) & everything)
    return ruleset_fd


def _allow(ruleset_fd: int, path: str, access: int) -> None:
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", access, fd)
        linux.syscall(
            "landlock_add_rule",
            linux.SYS_LANDLOCK_ADD_RULE, ruleset_fd, _RULE_PATH_BENEATH, ctypes.c_char_p(rule), 0,
        )  # fmt: skip
    finally:
        os.close(fd)


def restrict_self(ruleset_fd: int) -> None:
    """Hold this process, and all that it starts, to the ruleset. Needs no_new_privs."""
    linux.restrict_self(ruleset_fd)
