"""A slot: a process, of its own process namespace where there can be one, that forks, watches, kills and reaps jobs.

It runs no code of any job and never reads what jobs read or write. Requests come over a socket that only the trusted
client holds; when that socket closes, the slot kills what runs and ends.

Invariants: when a reply is sent, no process of the job exists, and the box is fresh. A job whose confinement failed is
reported as such and has run nothing.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` without its enumerations, which cost ten times as much
import contextlib
import errno
import gc
import os
import select
import socket
import time
from collections.abc import Callable
from typing import NoReturn

from . import forks, job, linux, memory, rehearsal, wire
from .boxes import Box
from .confine import Confinement
from .processes import Processes, usage

_MAX_FDS = 8
_RESERVED = 16
"""Descriptors below this number are kept for the job's own, so that laying them out overwrites nothing."""


_BEFORE_REHEARSAL = 16
"""A slot that is used for a few jobs only is not worth the time of a rehearsal."""
_RULESET = wire.ERRORS + 1
_ALL = 2**31 - 1
_SCORE = 16
"""Bytes that such a score takes at most."""
_SIGNAL = 128
"""Bytes that tell of one signal; more than one of a kind never waits."""


_CROWD = 8
"""A job with more threads waits for itself, which is no excuse; a fork bomb would live ten times as long."""
_LONGEST_POLL = 1e6
"""In seconds; more than 2**31 milliseconds cannot be waited for."""
_AGAIN_SECONDS = 1.0
"""How often a job that is past its wall limit is looked at again."""


class Slot:
    """Serves requests until the client hangs up."""

    def __init__(
        self,
        control: socket.socket,
        confinement: Confinement,
        box: Box,
        processes: Processes,
        events: Callable[[], tuple[bool, bool]],
        oom_score: int = -1,
        *,
        hand_down: bool = False,
    ) -> None:
        """Prepare.

        `oom_score`: descriptor by which this process says how soon it is to be killed for want of memory, or -1.
        `hand_down`: whether jobs may inherit the filter of system calls.
        """
        self._control, self._confinement, self._box, self._processes = control, confinement, box, processes
        self._events, self._oom_score = events, oom_score
        self._own_score = os.pread(oom_score, _SCORE, 0) if oom_score >= 0 else b""
        """Not always 0, and what is lower than what a process was started with needs a privilege."""
        self._hand_down = hand_down
        self._generation = -1
        self._disk = 0
        self._errors, self._error_input = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGCHLD])
        self._ended = linux.signal_descriptor(_signal.SIGCHLD)
        """Readable when a process of the job has ended. A pidfd would do, but what slots may call, jobs may."""

    def serve(self) -> NoReturn:
        """Answer requests; ends the process when the client is gone."""
        gc.disable()  # this process makes no cycles, and a collection would touch pages that jobs share
        gc.freeze()
        for _ in range(_BEFORE_REHEARSAL):
            self._answer()
        with contextlib.suppress(OSError):
            self._rehearse()
        if self._hand_down:  # pinning memory, which came before, needs a call that the filter refuses
            self._confinement.hand_down()
        while True:
            self._answer()

    def _rehearse(self) -> None:
        """Run jobs of this slot's own, whose client is this process, and pin the pages that they write to."""
        client = self._control
        ours, self._control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with ours, self._control:
                memory.pin(rehearsal.pages_written(ours, self._answer, self._disk))
        finally:
            self._control = client

    def _answer(self) -> None:
        packet, fds, _, _ = socket.recv_fds(self._control, wire.MAX_PACKET, _MAX_FDS)
        if not packet:
            os._exit(0)
        if packet[:1] != wire.RUN:
            return  # an interrupt or a kill that came after its job's end
        reply = self._run(*wire.unpack_request(packet), fds)
        for fd in fds:
            os.close(fd)
        self._control.send(reply.pack())

    def _run(self, request: wire.Request, fetch: list[str], fds: list[int]) -> wire.Reply:
        self._disk = request.disk
        self._box.prepare(self._disk)
        if self._box.generation != self._generation:
            self._confinement.set_box([self._box.path, *self._box.shared])
            os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "PWD"), self._box.path))
            self._generation = self._box.generation
        self._confinement.set_limits(request)
        started = time.monotonic()
        try:
            pid = self._fork()
        except OSError as error:  # the machine's fault
            return wire.Reply(0, False, 0.0, 0.0, 0, setup=str(error))
        if pid == 0:
            self._become_job(fds)
        killed = self._watch(pid, started, request)
        wall = time.monotonic() - started
        status, cpu, peak = self._processes.end(pid)
        setup = self._setup_error()
        for fd in fds[1:3]:  # memory of the job's group, which this process may need, and more than anybody will read
            if os.fstat(fd).st_size > request.output + 1:
                os.ftruncate(fd, request.output + 1)
        fetched = self._box.fetch(fetch, fds[-1], request.output) if fetch else ()
        self._box.clean()
        memory, processes = self._events() if status else (False, False)
        return wire.Reply(status, killed, cpu, wall, peak, memory, processes, tuple(fetched), setup)

    def _fork(self) -> int:
        """Fork, so that the kernel, out of memory, kills the job and what it starts before this process."""
        if self._oom_score < 0:
            return forks.fork()
        pid = -1
        os.pwrite(self._oom_score, b"1000", 0)
        try:
            pid = forks.fork()
        finally:
            if pid:  # all but the job
                os.pwrite(self._oom_score, self._own_score, 0)
        return pid

    def _become_job(self, fds: list[int]) -> NoReturn:
        """Turn this forked process into the job. `fds`: stdin, stdout, stderr, payload, result, channel."""
        try:
            os.setsid()
            _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGCHLD])
            for number, fd in enumerate([*fds[:6], self._error_input]):
                os.dup2(fd, number)
            if self._confinement.ruleset >= 0:
                os.dup2(self._confinement.ruleset, _RULESET)
            os.closerange(_RULESET + 1, _ALL)
            self._confinement.apply(_RULESET)
            os.closerange(wire.ERRORS, _RULESET + 1)
        except BaseException as error:  # noqa: BLE001 - told to the slot, which reports a fault; the job never starts
            os.write(wire.ERRORS, f"{type(error).__name__}: {error}".encode()[:500])
            os._exit(1)
        try:
            forks.enter_job()
            gc.enable()
            job.run(self._box.path)
        except Exception as error:  # noqa: BLE001 - such as files that do not fit into the box: the job's own fault
            os.write(2, f"{type(error).__name__}: {error}\n".encode("utf-8", "replace"))
        finally:
            os._exit(1)  # whatever happens, a job never comes back into the slot's code

    def _watch(self, pid: int, started: float, request: wire.Request) -> bool:
        """Wait for the job's main process; return whether it must be killed."""
        deadline = started + request.wall
        poll = select.poll()
        poll.register(self._ended, select.POLLIN)
        poll.register(self._control, select.POLLIN)
        while True:
            left = deadline - time.monotonic()
            events = dict(poll.poll(min(max(0.0, left), _LONGEST_POLL) * 1000))
            if self._ended in events:
                os.read(self._ended, _SIGNAL)
                if self._processes.ended(pid):
                    return False
            if self._control.fileno() in events:
                packet = self._control.recv(wire.MAX_PACKET)
                if not packet:
                    self._processes.end(pid)
                    os._exit(0)
                if packet == wire.KILL:
                    return True
                os.kill(pid, _signal.SIGINT)
            elif left <= 0:
                deadline = min(started + allowance(pid, request), time.monotonic() + _AGAIN_SECONDS)
                if deadline <= time.monotonic():
                    return True

    def _setup_error(self) -> str:
        try:
            return os.read(self._errors, 500).decode("utf-8", "replace")
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
            return ""


def allowance(pid: int, request: wire.Request) -> float:
    """Return how many seconds a job may take, of which those that it waited for a processor do not count."""
    if request.latest <= request.wall:
        return request.wall
    used, waited, threads = usage(pid)
    if used > request.cpu or threads > _CROWD:
        return request.wall
    return min(request.wall + waited, request.latest)


def reserve_descriptors() -> None:
    """Fill the low descriptors with /dev/null."""
    while True:
        fd = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        if fd >= _RESERVED:
            os.close(fd)
            return
