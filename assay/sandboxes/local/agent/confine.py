"""What a job gives up before it runs a line of its own: resources, identity, system calls, files.

`Confinement` is prepared once by the slot and applied by every job in its own process, in an order that matters:
limits first (lowering them needs no privilege), then the user id with its capabilities, then Landlock and seccomp (they
rest on the slot's `no_new_privs`). A step that fails raises: a job never runs with less than the slot promised.

The kernel takes about a tenth of a small job's time to install a seccomp filter. A slot that needs nothing of what the
filter refuses puts it on itself, once, and jobs inherit it.
"""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Sequence

from . import landlock, linux, seccomp
from .wire import Request

_SECCOMP_MODE_FILTER = 2
_LIMITS = (
    resource.RLIMIT_AS,
    resource.RLIMIT_FSIZE,
    resource.RLIMIT_NOFILE,
    resource.RLIMIT_NPROC,
    resource.RLIMIT_STACK,
)
"""In the order of `Request`."""


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


class Confinement:
    """The prepared restrictions of one slot."""

    def __init__(
        self,
        *,
        uid: int | None,
        unix_sockets: bool,
        memory_counted: bool,
        readable: Sequence[str] = ("/",),
        metadata: bool = True,
    ) -> None:
        """Prepare.

        `uid`: the user id that jobs get, None to keep the slot's. `readable`: the trees that they may read.
        `metadata`: whether they may change modes and times of files, which Landlock does not know of.
        """
        self.uid = uid
        self._readable = [path for path in readable if os.path.exists(path)]
        self._devices = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")]
        self.landlock_abi = landlock.abi()
        self.ruleset = -1
        """Descriptor of the Landlock ruleset, -1 without Landlock."""
        self._request: Request | None = None
        self._limits: list[tuple[int, tuple[int, int]]] = []
        self._ceilings = [(name, resource.getrlimit(name)[1]) for name in _LIMITS]
        instructions = seccomp.build(unix_sockets=unix_sockets, memfd=memory_counted, metadata=metadata)
        self.filter = None if instructions is None else _Program(len(instructions) // 8, instructions)
        self._inherited = False

    @property
    def protects_slot(self) -> bool:
        """Whether jobs cannot signal their slot even if it is not pid 1, which the kernel would protect."""
        return self.uid is not None or self.landlock_abi >= landlock.SIGNAL_SCOPE_ABI

    def set_box(self, paths: Sequence[str]) -> None:
        """Name the writable directories. Again whenever one is replaced: rules hold for inodes."""
        if not self.landlock_abi:
            return
        if self.ruleset >= 0:
            os.close(self.ruleset)
        self.ruleset = landlock.ruleset(self.landlock_abi, self._readable, paths, self._devices)

    def set_limits(self, request: Request) -> None:
        """Name the limits of the next job: hard and soft alike, but for CPU time: a signal, and a second later the end.

        Worked out here, before the fork, and seldom, since most jobs have the limits of the one before.
        """
        if request == self._request:
            return
        cpu = int(request.cpu + 0.999)
        limits = [(resource.RLIMIT_CPU, (cpu, cpu + 1)), (resource.RLIMIT_MEMLOCK, (0, 0))]  # the slot may lock some
        for wanted, (name, ceiling) in zip(request[3:8], self._ceilings, strict=True):
            if wanted:
                value = wanted if ceiling == resource.RLIM_INFINITY else min(wanted, ceiling)
                limits.append((name, (value, value)))
        self._request, self._limits = request, limits

    def apply(self, ruleset: int) -> None:
        """Confine this process, for good. `ruleset` is a descriptor of the Landlock ruleset in this process."""
        for name, limit in self._limits:
            resource.setrlimit(name, limit)
        if self.uid is None:
            linux.drop_capabilities()
        else:  # giving up id 0 for good gives up every capability with it
            os.setresgid(self.uid, self.uid, self.uid)
            os.setresuid(self.uid, self.uid, self.uid)
        # Lost with the old user id; /dev/stdin needs it, and there is no secret in this process.
        linux.prctl(linux.PR_SET_DUMPABLE, 1)
        if self.landlock_abi:
            landlock.restrict_self(ruleset)
        if not self._inherited:
            self._install_filter()

    def hand_down(self) -> None:
        """Put the filter on this process, for good, so that jobs inherit it instead of installing it themselves."""
        self._install_filter()
        self._inherited = True

    def _install_filter(self) -> None:
        if self.filter is not None:
            linux.prctl(linux.PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(self.filter))


def confine_slot() -> None:
    """Give up what no job needs; the slot does it once, and jobs inherit it."""
    for name in (resource.RLIMIT_CORE, resource.RLIMIT_MSGQUEUE, resource.RLIMIT_RTPRIO):
        resource.setrlimit(name, (0, 0))
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
