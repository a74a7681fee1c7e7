"""Run cases through a verifier that may hang, crash, or eat the machine.

Each worker is a process of its own, with its own session, so that a kill takes its children along. It announces a
case before it starts and reports it when done; a case that is announced and not done within the limit is killed, and
the worker's remaining cases go to a fresh process. A hang is therefore a result (`Trial.killed`), not a hung audit.

Invariants:

* Every case gives exactly one trial, in the order of the cases.
* Times are taken in the worker, around `verify` alone; one warm-up call per run pays for lazy imports.
* A verifier of isolation `remote` (a judge behind HTTP) runs in this process: it has its own time limits, and its
  connections must not be forked.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

from assay.audits.case import Case, Trial, accepts, default_threshold
from assay.core.verdict import Verdict, no_verdict
from assay.verifiers.base import Verifier, run_verifier

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

REMOTE_THREADS = 8
"""Calls in flight to a verifier behind HTTP: its own limits are stricter where they need to be."""
_PR_SET_PDEATHSIG = 1
_START_UP = 60.0
"""Seconds that a worker may take to build the verifier and to warm it up."""


@dataclass(frozen=True, slots=True)
class VerifierSource:
    """A verifier by recipe: each worker builds its own, so that pools and connections are never shared by a fork."""

    label: str
    build: Callable[[], Verifier]
    package: str = ""
    """Top-level package of the grader's code, where it is known."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """How the cases are run."""

    seconds: float = 10.0
    """Time of one case, then the worker is killed: so much processor time, or so much wall time, which is longer on a
    machine with more work than processors: a verifier that waits for its turn does not hang."""
    memory_mb: int | None = None
    """Address space that a worker may add to what it had at its start; None for no limit."""
    workers: int = 1
    kills: int = 20
    """After so many kills the rest is not run, and has no verdict: a verifier that always hangs ends the run."""
    threads: int = 0
    """0 runs `verify` on the main thread of the worker; n > 0 in n threads that are not the main one."""


def run_cases(
    source: VerifierSource,
    cases: Sequence[Case],
    limits: RunLimits = RunLimits(),
    *,
    threshold: float | None = None,
) -> list[Trial]:
    """Judge every case and return the trials in the order of the cases."""
    if not cases:
        return []
    verifier = source.build()
    try:
        threshold = default_threshold(verifier.score_range) if threshold is None else threshold
        if verifier.isolation == "remote":
            with ThreadPoolExecutor(max(limits.threads, REMOTE_THREADS)) as pool:
                verdicts = pool.map(lambda case: run_verifier(verifier, case.task(), case.evidence()), cases)
                return [_trial(case, v, threshold) for case, v in zip(cases, verdicts, strict=True)]
    finally:
        verifier.close()
    results: dict[int, Trial] = {}
    for index, verdict, killed, memory in _supervise(source, cases, limits):
        results[index] = _trial(cases[index], verdict, threshold, killed=killed, memory_mb=memory)
    return [results[i] for i in range(len(cases))]


def _trial(case: Case, verdict: Verdict, threshold: float, *, killed: bool = False, memory_mb: float = 0.0) -> Trial:
    return Trial(case, verdict, accepts(verdict, threshold), killed, memory_mb)


Result = tuple[int, Verdict, bool, float]


@dataclass(slots=True)
class _Worker:
    """One child process and what the parent knows of it."""

    process: BaseProcess
    pipe: Connection
    todo: list[int]
    """Cases that have not been reported, in order."""
    started: dict[int, float] = field(default_factory=dict)
    """When the cases in flight were announced; -1 stands for the start-up."""
    spent: float = 0.0
    """Processor time of the process when the last case was announced."""

    def left(self, limits: RunLimits) -> float:
        """Return the seconds until the oldest thing in flight may be overdue; it is when they are not above 0."""
        slack = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        now = time.monotonic()
        left = min(
            (t - now + slack * (_START_UP if i < 0 else limits.seconds) for i, t in self.started.items()),
            default=float("inf"),
        )
        if limits.threads or not self.started or -1 in self.started:
            return left
        return min(left, limits.seconds - (_processor_seconds(self.process.pid) - self.spent))

    def kill(self) -> None:
        """Kill the process with everything it started."""
        pid = self.process.pid
        assert pid is not None
        for end in (os.killpg, os.kill):  # the group too: the worker leads one as soon as it has settled in
            with contextlib.suppress(ProcessLookupError):
                end(pid, signal.SIGKILL)
        self.process.join()
        self.pipe.close()


def _supervise(source: VerifierSource, cases: Sequence[Case], limits: RunLimits) -> Iterator[Result]:
    shards = [list(range(len(cases)))[k :: limits.workers] for k in range(limits.workers)]
    workers = [_start(source, cases, shard, limits) for shard in shards if shard]
    kills = 0
    try:
        while workers:
            ready = wait([w.pipe for w in workers], timeout=max(0.0, min(60.0, *(w.left(limits) for w in workers))))
            for worker in list(workers):
                ended = worker.pipe in ready and (yield from _drain(worker))
                overdue = worker.left(limits) <= 0
                if not ended and not overdue:
                    continue
                workers.remove(worker)
                worker.kill()
                kills += bool(worker.todo)
                if worker.todo:
                    yield from _bury(worker, limits, overdue=overdue and not ended)
                if worker.todo and kills < limits.kills:
                    workers.append(_start(source, cases, worker.todo, limits))
                for index in worker.todo if kills >= limits.kills else ():
                    reason = f"not run: the verifier was killed {kills} times before"
                    yield index, no_verdict(reason, status="timeout"), False, 0.0
    finally:
        for worker in workers:
            worker.kill()


def _drain(worker: _Worker) -> Generator[Result, None, bool]:
    """Yield the results that wait in the pipe; return True when the worker has ended."""
    while worker.pipe.poll():
        try:
            kind, index, *rest = worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            return True
        if kind == "start":
            worker.started[index], worker.spent = time.monotonic(), _processor_seconds(worker.process.pid)
        elif kind == "ready":
            worker.started.pop(-1, None)
            _preload(rest[0])
        elif kind == "failed":
            worker.started.pop(-1, None)
            for waiting in worker.todo:
                yield waiting, no_verdict(f"the verifier cannot be built: {rest[0]}"), False, 0.0
            worker.todo = []
        else:
            worker.started.pop(index, None)
            worker.todo.remove(index)
            yield index, rest[0], False, rest[1]
    return False


def _bury(worker: _Worker, limits: RunLimits, *, overdue: bool) -> Iterator[Result]:
    """Settle what a dead or killed worker was doing. The guilty cases get their result; the others stay to do."""
    now = time.monotonic()
    if overdue and -1 in worker.started:
        for index in worker.todo:
            yield index, no_verdict(f"the verifier did not start within {_START_UP:g} s", status="timeout"), True, 0.0
        worker.todo = []
        return
    in_flight = {i: t for i, t in worker.started.items() if i >= 0}
    if not in_flight:  # it died before it announced a case: blame the next one, so that every round settles a case
        in_flight = {worker.todo[0]: now}
    for index, since in in_flight.items():
        waited = now - since
        if overdue and waited < limits.seconds and len(in_flight) > 1:
            continue
        worker.todo.remove(index)
        if overdue:
            reason = f"killed after {limits.seconds:g} s"
            yield index, no_verdict(reason, status="timeout", seconds=max(waited, limits.seconds)), True, 0.0
        else:
            reason = f"the process of the verifier died (exit code {worker.process.exitcode})"
            yield index, no_verdict(reason, seconds=waited), True, 0.0


def _preload(modules: Sequence[str]) -> None:
    """Import what a verifier loads on its first call, so that the next worker, a fork of this process, need not."""
    for name in modules:
        with contextlib.suppress(Exception):  # an import that fails here fails in the worker, where it is reported
            importlib.import_module(name)


def _processor_seconds(pid: int | None) -> float:
    """Return the processor time of a process; 0 where that cannot be known."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # not Linux, or gone
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _start(source: VerifierSource, cases: Sequence[Case], todo: list[int], limits: RunLimits) -> _Worker:
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    ours, theirs = context.Pipe(duplex=False)
    mine = [(i, cases[i]) for i in todo]
    # Not daemonic: the verifier may need children of its own. `finally` in `_supervise` reaps it.
    process = context.Process(target=_serve, args=(theirs, source, mine, limits))  # type: ignore[attr-defined]
    process.start()
    theirs.close()
    return _Worker(process, ours, list(todo), {-1: time.monotonic()})


def _serve(pipe: Connection, source: VerifierSource, cases: list[tuple[int, Case]], limits: RunLimits) -> None:
    """Body of a worker."""
    _settle_in(limits.memory_mb)
    try:
        verifier = source.build()
    except Exception as error:  # noqa: BLE001 - whatever building raises is what the report must say
        pipe.send(("failed", -1, f"{type(error).__name__}: {error}"))
        return
    first, known = cases[0][1], set(sys.modules)
    run_verifier(verifier, _warm(first).task(), _warm(first).evidence())
    pipe.send(("ready", -1, sorted(set(sys.modules) - known)))
    if limits.threads:
        _serve_threads(pipe, verifier, cases, limits.threads)
    else:
        for index, case in cases:
            pipe.send(("start", index))
            before = _peak_mb()
            verdict = run_verifier(verifier, case.task(), case.evidence())
            _report(pipe, index, verdict, _peak_mb() - before)
    verifier.close()
    pipe.close()
    # Threads that a verifier left hanging must not keep the process alive.
    sys.stdout.flush()
    os._exit(0)


def _warm(case: Case) -> Case:
    """Return a harmless case on the same target, to pay for lazy imports outside the clock."""
    return Case(id="warm-up", target=case.target, response="0", correct=None, metadata=case.metadata)


def _serve_threads(pipe: Connection, verifier: Verifier, cases: list[tuple[int, Case]], threads: int) -> None:
    from threading import Lock

    lock = Lock()

    def one(index: int, case: Case) -> tuple[int, Verdict]:
        with lock:
            pipe.send(("start", index))
        return index, run_verifier(verifier, case.task(), case.evidence())

    with ThreadPoolExecutor(threads) as pool:
        for done in as_completed([pool.submit(one, i, c) for i, c in cases]):
            index, verdict = done.result()
            with lock:
                _report(pipe, index, verdict, 0.0)


def _report(pipe: Connection, index: int, verdict: Verdict, memory: float) -> None:
    try:
        pipe.send(("done", index, verdict, memory))
    except Exception:  # noqa: BLE001 - details may hold anything; whatever cannot be pickled is dropped, not the verdict
        pipe.send(("done", index, verdict.with_(details={}, parts={}), memory))


def _settle_in(memory_mb: int | None) -> None:
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if memory_mb is not None:
        limit = _address_space() + memory_mb * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _address_space() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:  # not Linux
        return 2**30


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
