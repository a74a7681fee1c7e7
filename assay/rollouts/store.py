"""TrajectoryStore: finished episodes in a JSONL file, one line each, readable while it is being written.

Invariants:

* A trajectory is in the file exactly once; its id is the key. `id in store` is how a resumed run knows what is done.
* A line is written whole or not at all, as far as a reader can see: what a killed process or a full disk left of a
  torn last line is cut off when the file is opened for writing, and ignored by readers.
* After `append` returns, the line survives the death of the process; after at most `fsync_seconds` more, or
  `close()`, that of the machine.
* One process writes at a time; a second one is refused.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Self

from pydantic_core import from_json

from assay.core.errors import ConfigError, DataError, SchemaError
from assay.core.trajectory import SCHEMA_VERSION, Trajectory

try:
    import fcntl
except ImportError:  # not a POSIX system: no lock
    fcntl = None  # type: ignore[assignment]


class TrajectoryStore:
    """An append-only file of trajectories.

    Opening an existing file reads the ids in it, so that a run can go on where it was stopped.
    """

    def __init__(self, path: str | Path, *, fsync_seconds: float = 1.0) -> None:
        self.path = Path(path)
        self._fsync_seconds = fsync_seconds
        self._synced = time.monotonic()
        self._ids: set[str] = set()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._fd: int | None = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise DataError(f"cannot be written: {error.strerror}", path=str(path)) from None
        try:
            self._lock(self._fd)
            self._size = self._recover(self._fd)
        except BaseException:
            self.close()
            raise

    def append(self, trajectory: Trajectory) -> None:
        """Write one trajectory. Refuses an id that is there already; `DataError` when the disk is full."""
        if trajectory.id in self._ids:
            raise DataError(f"episode {trajectory.id!r} is stored already; ids must be unique", path=str(self.path))
        fd = self._open_file()
        line = trajectory.to_json().encode() + b"\n"
        try:
            written = 0
            while written < len(line):
                written += os.write(fd, line[written:])
        except OSError as error:
            os.ftruncate(fd, self._size)
            raise DataError(f"cannot be written: {error.strerror}", path=str(self.path)) from None
        self._size += len(line)
        self._ids.add(trajectory.id)
        if time.monotonic() - self._synced >= self._fsync_seconds:
            self.flush()

    def discard(self, ids: Set[str]) -> None:
        """Forget these trajectories, so that their episodes can be played again. All of them go, or none."""
        if not ids & self._ids:
            return
        draft = self.path.with_name(self.path.name + ".tmp")
        try:
            fd = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
            try:
                self._lock(fd)
                with open(fd, "wb", closefd=False) as kept:
                    for number, line in _complete_lines(self.path):
                        if line.isspace() or _id_of(line, self.path, number) not in ids:
                            kept.write(line)
                os.fsync(fd)
                os.replace(draft, self.path)  # noqa: PTH105 - atomic, and says so
            except BaseException:
                os.close(fd)
                raise
        except OSError as error:
            raise DataError(f"cannot be written: {error.strerror}", path=str(draft)) from None
        self.close()
        self._fd, self._size = fd, os.fstat(fd).st_size
        self._ids -= ids

    def flush(self) -> None:
        """Bring everything to the disk."""
        os.fsync(self._open_file())
        self._synced = time.monotonic()

    def close(self) -> None:
        """Flush and let go of the file. Idempotent."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    @property
    def ids(self) -> Set[str]:
        """The ids of all stored trajectories."""
        return self._ids

    def __contains__(self, trajectory_id: object) -> bool:
        return trajectory_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Trajectory]:
        """Read what is stored, from the file."""
        return read_trajectories(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_file(self) -> int:
        if self._fd is None:
            raise ValueError(f"{self.path}: the store is closed")
        return self._fd

    def _lock(self, fd: int) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # released by the system when the process dies
        except OSError:
            raise ConfigError(f"{self.path}: another process is writing this file; wait for it or stop it") from None

    def _recover(self, fd: int) -> int:
        """Read the ids, cut off a torn last line, and return the size of the file."""
        size = 0
        for number, line in _complete_lines(self.path):
            size += len(line)
            if line.isspace():
                continue
            trajectory_id = _id_of(line, self.path, number)
            if trajectory_id in self._ids:
                raise DataError(f"episode {trajectory_id!r} is here twice", path=str(self.path), line=number)
            self._ids.add(trajectory_id)
        if os.fstat(fd).st_size > size:
            os.ftruncate(fd, size)
        return size


def read_trajectories(path: str | Path) -> Iterator[Trajectory]:
    """Yield the trajectories of a file, also of one that is being written: a torn last line is not there yet.

    `DataError` with `file:line` for a line that is no trajectory, `SchemaError` for a newer schema.
    """
    for number, line in _complete_lines(Path(path)):
        if line.isspace():
            continue
        try:
            yield Trajectory.from_json(line)
        except SchemaError as error:
            raise SchemaError(f"{path}:{number}: {error}") from None
        except ValueError as error:  # pydantic's ValidationError is one
            raise DataError(f"not a trajectory: {_brief(error)}", path=str(path), line=number) from None


def _complete_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        handle = open(path, "rb")  # noqa: SIM115 - closed by the with below
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", path=str(path)) from None
    with handle:
        for number, line in enumerate(handle, 1):
            if line.endswith(b"\n"):
                yield number, line


def _id_of(line: bytes, path: Path, number: int) -> str:
    try:
        row = from_json(line)
    except ValueError as error:
        raise DataError(f"not JSON: {_brief(error)}", path=str(path), line=number) from None
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise DataError("not a trajectory: it has no id", path=str(path), line=number)
    version = row.get("schema_version", 0)
    if version > SCHEMA_VERSION:
        raise SchemaError(f"{path}:{number}: schema {version}, this assay writes {SCHEMA_VERSION}; upgrade assay-rl")
    return str(row["id"])


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
