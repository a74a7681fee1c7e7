"""The root directory of a slot: a read-only tree of what programs need, and one writable directory, `/box`.

Invariants:

* Nothing of the host is visible but the bound trees (read-only, no set-uid programs, no devices) and five harmless
  device files; the old root is detached before any program runs.
* `/box` is the only place that can be written to: working directory, HOME, `/tmp` and `/dev/shm` in one, limited in
  bytes and inodes. (Where the interpreter itself lives below `/tmp`, that is a second place of the same size, with the
  interpreter's trees bound into it again, read-only.) It is mounted anew unless it is provably untouched, so that
  nothing crosses from job to job.
* `untouched` holds only when nobody but the slot can have changed the directory: it belongs to a user id that jobs do
  not have, its modification time is a mark that only the slot can set, and any entry made or removed alters that time.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Mapping

from . import linux

BOX, TMP = "/box", "/tmp"
_DEVICES = ("null", "zero", "full", "random", "urandom")
WRITABLE_DEVICES = tuple(f"/dev/{name}" for name in _DEVICES)
_STAGE = "/tmp"
_OLD = "/.old"
_WAITING = "/.trees"
_MARK = (0, 0)


def build_root(trees: Iterable[str]) -> dict[str, str]:
    """Make a new root with the trees at their own paths, and move into it. In a mount namespace of one's own.

    Return the trees below `/tmp`, each with the path where it waits for `mount_box` to bind it.
    """
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", _STAGE, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=4m,mode=755")
    os.mkdir(_STAGE + _OLD)
    linux.pivot_root(_STAGE, _STAGE + _OLD)
    os.chdir("/")
    os.mkdir(BOX)
    nested: dict[str, str] = {}
    for path in trees:
        if path.startswith("/tmp/") and os.path.isdir(_OLD + path):
            nested[path] = f"{_WAITING}/{len(nested)}"
            os.makedirs(nested[path])
            _bind(_OLD + path, nested[path])
        else:
            _bring(path)
    _devices()
    os.mkdir("/proc")
    _proc()
    if nested:
        os.makedirs(TMP, exist_ok=True)
    else:
        os.symlink(BOX, TMP)
    os.makedirs("/etc", exist_ok=True)
    for name, text in _ETC.items():
        if not os.path.lexists(name):
            _write(name, text)
    linux.unmount(_OLD)
    os.rmdir(_OLD)
    linux.make_read_only("/")
    return nested


def mount_box(path: str, size: int, inodes: int, nested: Mapping[str, str]) -> None:
    """Mount a fresh box, bind the `nested` trees into it, and leave the mark on it."""
    options = f"size={size},nr_inodes={inodes},mode=1777"
    linux.mount("tmpfs", path, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOATIME, options)
    for tree, waiting in nested.items():
        os.makedirs(tree)
        _bind(waiting, tree)
    os.utime(path, ns=_MARK)


def untouched(path: str, job_uid: int) -> bool:
    """Whether a box is as `mount_box` left it."""
    found = os.stat(path)
    return found.st_uid != job_uid and found.st_mtime_ns == _MARK[1]


def remount_box(path: str, size: int, inodes: int, nested: Mapping[str, str]) -> None:
    """Replace a box by a fresh one; the old one vanishes with its last open file."""
    os.chdir("/")
    linux.unmount(path)
    mount_box(path, size, inodes, nested)


def _bring(path: str) -> None:
    """Bind a tree or file of the old root at the same path; links stay links, what does not exist is left out."""
    try:
        mode = os.lstat(_OLD + path).st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EACCES, errno.ENOTDIR):
            return
        raise
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(_OLD + path), path)
        return
    if stat.S_ISDIR(mode):
        os.makedirs(path, exist_ok=True)
    else:
        _write(path, "")
    _bind(_OLD + path, path)


def _bind(source: str, target: str) -> None:
    linux.mount(source, target, None, linux.MS_BIND | linux.MS_REC)
    linux.make_read_only(target, recursive=True)


def _devices() -> None:
    os.mkdir("/dev")
    for name in _DEVICES:
        _write(f"/dev/{name}", "")
        linux.mount(f"{_OLD}/dev/{name}", f"/dev/{name}", None, linux.MS_BIND)
        linux.make_read_only(f"/dev/{name}", devices=True)
    for link, target in (("shm", BOX), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"),
                         ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2")):  # fmt: skip
        os.symlink(target, f"/dev/{link}")


def _proc() -> None:
    """Mount /proc with the job's own processes only; go without where the kernel does not let us.

    `hidepid=2` would not do: it lets the group 0 see all, which jobs are in when root keeps its ids.
    """
    flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    with contextlib.suppress(OSError):
        linux.mount("proc", "/proc", "proc", flags, "hidepid=ptraceable,subset=pid")


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL | os.O_CLOEXEC, 0o644)
    os.write(fd, text.encode())
    os.close(fd)


_ETC = {
    "/etc/passwd": "root:x:0:0::/:/bin/false\nuser:x:1000:1000::/box:/bin/sh\n",
    "/etc/group": "root:x:0:\nuser:x:1000:\n",
    "/etc/hosts": "127.0.0.1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
