"""The memory that every job inherits, laid out so that forking it, running in it and leaving it cost little.

Most of a small job's price is paid by the page: at the fork the kernel copies an entry for each, later it answers a
fault for each that is touched or written to, at the end it takes each away. So, once everything has been imported:

* `join_areas` makes one area of a library's neighbouring ones, which differ in their protection only;
* `enlarge_code` moves the interpreter's code to huge pages, which are inherited whole; code that is mapped from a file
  every job would find again, fault by fault;
* `enlarge_data` moves data, with the code of small libraries between it, into blocks of huge pages: a dozen areas
  instead of seventy, whose pages the kernel inherits by the run instead of one by one, also when some of them have been
  written to since and are pages of their own. The code of larger ones, as the C library is, stays mapped from its file:
  that is not inherited at all, and jobs find again the little that they use;
* `pin` makes the fork copy the pages that every job writes to. The fault that would copy each of them costs more, and
  another one awaits the slot when it writes there next.

What the kernel does not offer is left out: nothing but speed depends on it. Code becomes no easier to attack: a program
may change the protection of its own memory as it likes, and is kept in by the kernel alone.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

from . import linux

PAGE = 4096
_HUGE = 2**21
_ENTRY = 8
_WORTH_A_BLOCK = 2**16
_SMALL_LIBRARY = 2**19
_PRESENT, _EXCLUSIVE = 1 << 63, 1 << 56


class Area(NamedTuple):
    """A private mapping of this process: the addresses, and what is mapped there."""

    start: int
    end: int
    protection: str
    offset: int
    path: str


_END = Area(-1, -1, "", 0, "")


def areas() -> list[Area]:
    """Return this process's private mappings, by address."""
    found = []
    with open("/proc/self/maps") as stream:
        for line in stream:
            addresses, protection, offset, _, _, *path = line.split(maxsplit=5)
            start, _, end = addresses.partition("-")
            if protection[3] == "p":
                where = path[0].strip() if path else ""
                found.append(Area(int(start, 16), int(end, 16), protection[:3], int(offset, 16), where))
    return found


def join_areas() -> None:
    """Give neighbouring areas of a file one protection: that of code to constants, that of data to relocated data."""
    before: Area | None = None
    for area in areas():
        if before is not None and _continues(before, area):
            if "w" in area.protection and "x" not in before.protection:
                linux.protect(before.start, before.end, linux.READ | linux.WRITE)
            elif "w" not in before.protection + area.protection and "x" in before.protection + area.protection:
                linux.protect(before.start, area.end, linux.READ | linux.EXECUTE)
                area = area._replace(protection="r-x")
        before = area


def _continues(before: Area, area: Area) -> bool:
    adjacent = before.end == area.start and before.offset + before.end - before.start == area.offset
    return adjacent and before.path == area.path and area.path.startswith("/")


def enlarge_code() -> None:
    """Put the interpreter's code on huge pages, as far as it fills any. Raises `OSError` where there are none."""
    address = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value or 0
    for area in areas():
        if area.start <= address < area.end and area.protection == "r-x":
            start, end = -(-area.start // _HUGE) * _HUGE, area.end // _HUGE * _HUGE
            if start < end:
                linux.move_to_huge_pages(start, end, linux.READ | linux.EXECUTE)


def enlarge_data() -> None:
    """Move neighbouring areas that hold data as one, with what protection any of them has, into blocks of huge pages.

    Raises `OSError` where there are none.
    """
    run: list[Area] = []
    for area in (*areas(), _END):
        if run and not (_movable(area) and area.start == run[-1].end):
            start, end, protections = run[0].start, run[-1].end, "".join(area.protection for area in run)
            if "w" in protections and end - start >= _WORTH_A_BLOCK:
                executable = linux.EXECUTE if "x" in protections else 0
                linux.move_to_huge_pages(start, end, linux.READ | linux.WRITE | executable)
            run = []
        if _movable(area):
            run.append(area)


def _movable(area: Area) -> bool:
    """Whether an area may move: data, and code of small libraries; but no code that has moved already."""
    if "r" not in area.protection or (area.path.startswith("[") and area.path != "[heap]"):
        return False
    return "w" in area.protection or (area.path != "" and area.end - area.start < _SMALL_LIBRARY)


class Pages:
    """Which pages of the writable areas of this process a job writes to: asked before, found out by the job itself."""

    def __init__(self) -> None:
        self._areas = [area for area in areas() if area.protection.startswith("rw")]

    def program(self) -> bytes:
        """Return Python source that writes to stderr what the kernel says about these pages in its own process."""
        ranges = [(area.start // PAGE * _ENTRY, (area.end - area.start) // PAGE * _ENTRY) for area in self._areas]
        return f"""
import os
def tell(code, os=os, end=os._exit):
    pages = os.open("/proc/self/pagemap", os.O_RDONLY)
    for start, size in {ranges}:
        os.write(2, os.pread(pages, size, start))
    end(code)
os._exit = tell
""".encode()

    def written(self, entries: bytes) -> list[tuple[int, int]]:
        """Return the pages that were its own, as (start, end) of each run; `entries` is what the program wrote."""
        runs: list[tuple[int, int]] = []
        numbers = memoryview(entries).cast("Q")
        addresses = (page for area in self._areas for page in range(area.start, area.end, PAGE))
        for page, entry in zip(addresses, numbers, strict=False):
            if entry & _PRESENT and entry & _EXCLUSIVE:
                if runs and runs[-1][1] == page:
                    runs[-1] = (runs[-1][0], page + PAGE)
                else:
                    runs.append((page, page + PAGE))
        return runs


def pin(runs: Sequence[tuple[int, int]]) -> None:
    """Pin pages in memory for as long as this process lives. Raises `OSError` where that is not allowed.

    Pages that a device might write to are what the kernel copies at a fork instead of sharing them. A ring of io_uring
    that nobody ever uses holds them; its descriptor stays open, and jobs have neither it nor the system call.
    """
    linux.hold_pages([(start, end - start) for start, end in runs])
