"""The one directory that a job may write to, fresh for every job.

`MountedBox` is a file system of its own and is mounted anew when it was touched. `DirectoryBox` serves where mounting
is not possible: every job gets a new directory under a new name, and Landlock shows it no other but the shared ones.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import stat
import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from . import linux, mounts

_SYS_OPENAT2 = 437
_RESOLVE_NO_MAGICLINKS, _RESOLVE_NO_SYMLINKS, _RESOLVE_BENEATH = 2, 4, 8
_BYTES_PER_INODE = 4096
_SIZE = struct.Struct("=Q")
_MESSAGE = 4096
_MOUNTED = b"mounted"


class Box(ABC):
    """The job's directory. `generation` changes whenever `path` names another inode than before."""

    path: str
    shared: tuple[str, ...] = ()
    """More directories that jobs may write to; emptied after each."""
    generation: int = 0

    @abstractmethod
    def prepare(self, size: int) -> None:
        """Make the box ready for a job that may write `size` bytes."""

    @abstractmethod
    def clean(self) -> None:
        """Remove whatever a job left. No process of the job may exist any more."""

    def fetch(self, names: Sequence[str], sink: int, cap: int) -> list[int | None]:
        """Append the files to the descriptor `sink`, at most `cap` bytes of each; return how many bytes of each.

        None stands for what is not a regular file. Symbolic links are not followed, and the content passes through
        the kernel only, never through this process's memory.
        """
        base = os.open(self.path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return [_copy(base, name, sink, cap) for name in names]
        finally:
            os.close(base)


def _copy(base: int, name: str, sink: int, cap: int) -> int | None:
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    how = struct.pack("=QQQ", flags, 0, _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS)
    try:
        path, packed = ctypes.c_char_p(os.fsencode(name)), ctypes.c_char_p(how)
        fd = linux.syscall("openat2", _SYS_OPENAT2, base, path, packed, len(how))
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        copied = 0
        while copied < cap:
            sent = os.sendfile(sink, fd, None, cap - copied)
            if not sent:
                break
            copied += sent
        return copied
    finally:
        os.close(fd)


class MountedBox(Box):
    """`/box`, a tmpfs of its own; and `/tmp`, when trees live there that must stay readable."""

    path = mounts.BOX

    def __init__(self, job_uid: int, size: int, nested: Mapping[str, str]) -> None:
        """`nested`: what `mounts.build_root` returned."""
        self._job_uid, self._size = job_uid, size
        self._mounter: socket.socket | None = None
        self.shared = (mounts.TMP,) if nested else ()
        self._mounts: dict[str, Mapping[str, str]] = {self.path: {}, **dict.fromkeys(self.shared, nested)}
        for path, trees in self._mounts.items():
            mounts.mount_box(path, size, _inodes(size), trees)

    def prepare(self, size: int) -> None:
        """Mount anew when another size is wanted."""
        if size != self._size:
            self._size = size
            self._remount()

    def clean(self) -> None:
        """Mount anew unless nothing can have been written."""
        if not all(mounts.untouched(path, self._job_uid) for path in self._mounts):
            self._remount()

    def _remount(self) -> None:
        if self._mounter is None:
            self._mount_anew(self._size)
        else:
            self._mounter.send(_SIZE.pack(self._size))
            answer = self._mounter.recv(_MESSAGE)
            if answer != _MOUNTED:
                raise OSError(answer.decode() or "the process that mounts is gone")
        self.generation += 1

    def _mount_anew(self, size: int) -> None:
        for path, trees in self._mounts.items():
            mounts.remount_box(path, size, _inodes(size), trees)

    def use(self, mounter: socket.socket) -> None:
        """Let the process at the other end mount from now on: it runs `mount_for`."""
        self._mounter = mounter

    def mount_for(self, slot: socket.socket) -> None:
        """Mount whenever the slot asks for it, until it is gone."""
        with contextlib.suppress(ConnectionError):  # it was killed before it had its answer
            while request := slot.recv(_MESSAGE):
                answer = _MOUNTED
                try:
                    self._mount_anew(*_SIZE.unpack(request))
                except OSError as error:
                    answer = str(error).encode()
                slot.send(answer)


def _inodes(size: int) -> int:
    return min(65536, 1024 + size // _BYTES_PER_INODE)


class DirectoryBox(Box):
    """A new directory for each job, under `base`."""

    def __init__(self, base: str, uid: int | None, shared: tuple[str, ...] = ()) -> None:
        self._base, self._uid, self.shared = base, uid, shared
        self.path = ""

    def prepare(self, size: int) -> None:
        """Make a directory that no job has seen. Its size cannot be limited, only that of each file."""
        self.generation += 1
        self.path = os.path.join(self._base, f"box-{os.getpid()}-{self.generation}")
        os.mkdir(self.path, 0o700)
        if self._uid is not None:
            os.chown(self.path, self._uid, self._uid)

    def clean(self) -> None:
        """Remove the tree, however deep, whatever its modes."""
        remove_tree(self.path)
        for directory in self.shared:
            for entry in list(os.scandir(directory)):
                if entry.is_dir(follow_symlinks=False):
                    remove_tree(entry.path)
                else:
                    os.unlink(entry.path)


def remove_tree(path: str) -> None:
    """Remove a directory that nothing uses any more; subdirectories are moved to the top, so depth is no limit.

    They get names there that no job can have taken.
    """
    while True:
        os.chmod(path, 0o700)
        folders = []
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                os.unlink(entry.path)
        if not folders:
            os.rmdir(path)
            return
        for folder in folders:
            os.chmod(folder, 0o700)
            for entry in list(os.scandir(folder)):
                if entry.is_dir(follow_symlinks=False):
                    os.chmod(entry.path, 0o700)
                    os.rename(entry.path, os.path.join(path, os.urandom(16).hex()))
                else:
                    os.unlink(entry.path)
            os.rmdir(folder)
