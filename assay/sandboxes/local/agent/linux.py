"""The Linux system calls that Python has no name for, by ctypes. Each raises `OSError` with its own name in it.

What every job calls has its argument types declared: that spares the making of ctypes objects, and most of the time.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Sequence

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_NOATIME = 2, 4, 8, 32, 1024
MS_RDONLY, MS_BIND, MS_REC, MS_PRIVATE, MS_SHARED = 1, 4096, 16384, 1 << 18, 1 << 20
MNT_DETACH = 2

PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

# Numbers at or above 424 are the same on all architectures.
SYS_MOUNT_SETATTR = 442
SYS_IO_URING_SETUP = 425
SYS_IO_URING_REGISTER = 427
SYS_LANDLOCK_CREATE_RULESET = 444
SYS_LANDLOCK_ADD_RULE = 445
SYS_LANDLOCK_RESTRICT_SELF = 446

_libc = ctypes.CDLL(None, use_errno=True)
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID, _MOUNT_ATTR_NODEV = 1, 2, 4


_prctl = _libc.prctl
_prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong)
_two_numbers = _libc["syscall"]
_two_numbers.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_long)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(what: str, number: int, *args: object) -> int:
    """Make a raw system call; pointers as ctypes objects, numbers as int."""
    return _check(_libc.syscall(number, *(ctypes.c_long(a) if isinstance(a, int) else a for a in args)), what)


def unshare(flags: int) -> None:
    """Leave the namespaces in `flags`."""
    _check(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Mount a file system."""
    as_bytes = [None if text is None else text.encode() for text in (source, target, kind, options)]
    _check(_libc.mount(as_bytes[0], as_bytes[1], as_bytes[2], ctypes.c_ulong(flags), as_bytes[3]), f"mount {target}")


def unmount(target: str) -> None:
    """Detach a mount and everything beneath it."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root; the old one hangs at `old`."""
    syscall("pivot_root", _PIVOT_ROOT, ctypes.c_char_p(new.encode()), ctypes.c_char_p(old.encode()))


def make_read_only(target: str, *, recursive: bool = False, devices: bool = False) -> None:
    """Make a mount (and all beneath it) read-only, without set-uid programs. Flags are only ever added.

    With `devices`, device files there still work, and can be written to; their modes and times stay as they are.
    """
    flags = _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | (0 if devices else _MOUNT_ATTR_NODEV)
    attributes, path = (ctypes.c_uint64 * 4)(flags, 0, 0, 0), ctypes.c_char_p(target.encode())
    syscall(f"mount_setattr {target}", SYS_MOUNT_SETATTR, _AT_FDCWD, path, _AT_RECURSIVE * recursive, attributes, 32)


def prctl(option: int, value: int = 0, pointer: object = 0) -> None:
    """Set a property of this process."""
    if _prctl(option, value, pointer, 0, 0) < 0:
        _check(-1, f"prctl {option}")


def restrict_self(ruleset_fd: int) -> None:
    """Apply a Landlock ruleset to this process."""
    _check(_two_numbers(SYS_LANDLOCK_RESTRICT_SELF, ruleset_fd, 0), "landlock_restrict_self")


def signal_descriptor(number: int) -> int:
    """Return a descriptor that is readable when a signal has come, which must be blocked."""
    signals = (ctypes.c_ulong * (128 // ctypes.sizeof(ctypes.c_ulong)))(1 << number - 1)  # sigset_t
    return _check(_libc.signalfd(-1, signals, os.O_NONBLOCK | os.O_CLOEXEC), "signalfd")


_HEADER = (ctypes.c_uint32 * 2)(0x20080522, 0)  # capability format version 3, this process
_NONE = (ctypes.c_uint32 * 6)()


def drop_capabilities() -> None:
    """Give up all capabilities of this process; with no_new_privs nothing can bring them back."""
    _check(_libc.capset(_HEADER, _NONE), "capset")


_mmap = _libc.mmap
_mmap.restype, _mmap.argtypes = ctypes.c_ssize_t, (ctypes.c_size_t, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
_mremap = _libc.mremap
_mremap.restype, _mremap.argtypes = ctypes.c_ssize_t, (*[ctypes.c_size_t] * 3, ctypes.c_int, ctypes.c_size_t)
for _function in (_libc.mprotect, _libc.madvise):
    _function.argtypes = (ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int)
_libc.munmap.argtypes = (ctypes.c_size_t, ctypes.c_size_t)
READ, WRITE, EXECUTE = 1, 2, 4
_PRIVATE_ANONYMOUS = 0x22
_MAY_MOVE_TO_FIXED = 3
_NORMAL, _HUGEPAGE, _POPULATE_WRITE, _COLLAPSE = 0, 14, 23, 25
_PAGE, _HUGE = 2**12, 2**21


def protect(start: int, end: int, protection: int) -> None:
    """Change the protection of memory."""
    _check(_libc.mprotect(start, end - start, protection), "mprotect")


def move_to_huge_pages(start: int, end: int, protection: int) -> None:
    """Replace memory of this process, which must have one thread, by a copy of itself in blocks of huge pages.

    Whole huge pages of the range are mapped as such; of those at its ends the part that belongs to it. Raises
    `OSError` where there are none, and where memory that can be written to cannot be moved at all.
    """
    size, offset = end - start, start % _HUGE
    room = -(-(offset + size) // _HUGE) * _HUGE
    block = _check(_mmap(0, room + _HUGE, READ | WRITE, _PRIVATE_ANONYMOUS, -1, 0), "mmap")
    base = -(-block // _HUGE) * _HUGE
    copy = kept = base + offset
    try:
        _libc.madvise(base, room, _HUGEPAGE)
        for advice in (_POPULATE_WRITE, _COLLAPSE):
            _check(_libc.madvise(base, room, advice), "madvise")
        _check(_libc.madvise(start, size, _NORMAL), "madvise")  # fails where nothing is mapped any more
        if protection & WRITE:
            protect(copy, copy + size, protection)
            _copy_and_move(copy, start, size)
        else:
            ctypes.memmove(copy, start, size)
            protect(copy, copy + size, protection)
            _check(_mremap(copy, size, size, _MAY_MOVE_TO_FIXED, start), "mremap")
        kept = copy + size  # what is between has moved away, and is free for others
    finally:
        _libc.munmap(block, copy - block)
        _libc.munmap(kept, block + room + _HUGE - kept)


_COPY_AND_MOVE = {
    "x86_64": (
        "5657524889d1f3a4"  # push rsi, rdi, rdx; mov rcx, rdx; rep movsb: copy `size` bytes from `start` to `copy`
        "5e5f41584889f2"  # pop rsi (size), rdi (copy), r8 (start); mov rdx, rsi
        "41ba03000000b8190000000f05c3"  # mov r10d, 3 (may move, to a fixed address); mov eax, 25; syscall; ret
    )
}.get(os.uname().machine)


def _copy_and_move(copy: int, start: int, size: int) -> None:
    """Copy memory and put the copy in its place, as one function: the interpreter must not change it in between."""
    if _COPY_AND_MOVE is None:
        raise OSError(errno.ENOSYS, f"no code to move memory for {os.uname().machine}")
    code = bytes.fromhex(_COPY_AND_MOVE)
    page = _check(_mmap(0, _PAGE, READ | WRITE, _PRIVATE_ANONYMOUS, -1, 0), "mmap")
    try:
        ctypes.memmove(page, code, len(code))
        protect(page, page + _PAGE, READ | EXECUTE)
        result = ctypes.PYFUNCTYPE(ctypes.c_ssize_t, *[ctypes.c_size_t] * 3)(page)(copy, start, size)
        if result < 0:
            raise OSError(-result, f"mremap: {os.strerror(-result)}")
    finally:
        _libc.munmap(page, _PAGE)


def hold_pages(runs: Sequence[tuple[int, int]]) -> int:
    """Pin memory, as (start, size) of each run, for as long as the descriptor is open that is returned."""
    ring = syscall("io_uring_setup", SYS_IO_URING_SETUP, 1, ctypes.byref((ctypes.c_uint32 * 30)()))
    numbers = [number for run in runs for number in run]
    try:
        vectors = (ctypes.c_uint64 * len(numbers))(*numbers)
        syscall("io_uring_register", SYS_IO_URING_REGISTER, ring, 0, vectors, len(runs))
    except OSError:
        os.close(ring)
        raise
    return ring


_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}.get(os.uname().machine, -1)
