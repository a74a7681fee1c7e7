"""The contract of every sandbox: Job in, JobResult out, and a status that says whose fault it was.

Invariants that every backend keeps:

* The caller is never forked, and nothing that the program does reaches the caller but the bytes of a `JobResult`.
* A job ends exactly once, with all of its processes gone, and leaves nothing behind for the next one.
* `status` tells the program's faults from ours: only `internal_error` is ours, and whoever grades must treat it as
  *no verdict*. A program that destroys its sandbox every time, where others run, ends as `broke_sandbox`: its fault.
* A result carries the tier of isolation under which it was made.
* Everything in a `JobResult` was written by an untrusted program: bytes to be parsed with care, proof of nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal, Protocol, runtime_checkable

from assay.core.errors import ConfigError, Fault

Status = Literal[
    "ok",
    "nonzero",
    "signal",
    "cpu_limit",
    "wall_limit",
    "memory_limit",
    "output_limit",
    "pids_limit",
    "broke_sandbox",
    "internal_error",
]
"""How a job ended. Only `internal_error` is the sandbox's fault."""


class SandboxFault(Fault):
    """The sandbox itself failed. Never the program's doing, and never a score."""


class Tier(IntEnum):
    """How strongly a job is isolated. Each tier includes the ones below it."""

    NONE = 0
    LIMITS = 1
    """Resource limits only."""
    FILTERED = 2
    """+ seccomp and Landlock: no foreign files, network or processes (what a default Docker container allows)."""
    NAMESPACES = 3
    """+ user, pid, mount, net, ipc and uts namespaces with a root of its own."""
    CGROUPS = 4
    """+ memory and process count of the whole tree limited by cgroups."""
    KERNEL = 5
    """A kernel of its own (gVisor, a micro VM)."""


_PATIENCE = 10
_LONGEST = 1e8
_MOST = dict.fromkeys(("memory_bytes", "output_bytes", "disk_bytes", "open_files", "stack_bytes"), 2**60)
_MOST["processes"] = 2**20
"""What the system can still be told, with what is added on the way. Times are in seconds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may use."""

    cpu_seconds: float = 5.0
    """CPU time of the whole process tree."""
    wall_seconds: float | None = None
    """Elapsed time, to the moment. By default max(3 * cpu, cpu + 2), in which what the program waited for a processor
    does not count (up to ten times as long), so that a loaded machine fails no honest program."""
    memory_bytes: int = 512 * 2**20
    """What the job may allocate; of the whole tree where cgroups are at hand, otherwise of each process."""
    processes: int = 64
    """Processes and threads at one time."""
    output_bytes: int = 2**20
    """Kept of stdout, of stderr, and of the result, each; a program that writes more ends as `output_limit`."""
    disk_bytes: int = 64 * 2**20
    """Size of its only writable directory, and the largest size of any one file."""
    open_files: int = 256
    stack_bytes: int = 64 * 2**20

    def __post_init__(self) -> None:
        for name, seconds in (("cpu_seconds", self.cpu_seconds), ("wall_seconds", self.wall_seconds)):
            if seconds is not None and not 0 < seconds <= _LONGEST:
                raise ConfigError(f"{name} must be a positive number of at most {_LONGEST:.0e}, not {seconds!r}")
        for name, most in _MOST.items():
            if not 1 <= getattr(self, name) <= most:
                raise ConfigError(f"{name} must be from 1 to {most}, not {getattr(self, name)!r}")

    @property
    def wall(self) -> float:
        """The limit of elapsed time in seconds."""
        if self.wall_seconds is not None:
            return self.wall_seconds
        return max(3 * self.cpu_seconds, self.cpu_seconds + 2)

    @property
    def latest(self) -> float:
        """How many seconds after its start a job has ended, whatever it waited for."""
        return self.wall if self.wall_seconds is not None else _PATIENCE * self.wall


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Call:
    """A function to call once the source has run; its typed result comes back in `JobResult.result`."""

    function: str
    """A global name; `Class.method` calls the method of a new instance."""
    args: tuple[Any, ...] = ()
    """Plain values: None, bool, int, float, complex, str, bytes, and lists, tuples, sets and dicts of those."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    more: tuple[tuple[tuple[Any, ...], Mapping[str, Any]], ...] = ()
    """Further arguments, for calls in the same process, one after another; each has its own copy of its arguments.
    `JobResult.result` then has a line for each call made, the first one for `args` and `kwargs`."""


@dataclass(frozen=True, slots=True)
class Job:
    """One program to run: Python source, or a command."""

    source: str = ""
    """Run as `__main__`, or imported where it is there to be called. Ignored when `argv` is given."""
    argv: tuple[str, ...] = ()
    """A command to execute instead, looked up in the sandbox."""
    call: Call | None = None
    stdin: bytes = b""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Files to lay into the working directory: relative paths. Executable when they start with `#!` or ELF magic."""
    fetch: tuple[str, ...] = ()
    """Relative paths of files to bring back; at most `limits.output_bytes` of each."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the sandbox's own small environment; nothing of the caller's is inherited."""
    limits: Limits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        for name in (*self.files, *self.fetch):
            parts = name.split("/")
            if not name or name.startswith("/") or "\0" in name or any(part in ("", ".", "..") for part in parts):
                raise ConfigError(f"file name {name!r} must be a relative path inside the working directory")


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a job left: all of it untrusted but `status`, times and `tier`."""

    status: Status
    exit_code: int | None = None
    signal: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    result: bytes = b""
    """What came over the result channel: the encoded value of `Job.call`."""
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    """What was fetched; None for what is no regular file."""
    truncated: bool = False
    """Whether any stream wrote more than was kept."""
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_bytes: int = 0
    """Largest resident size of any one process, the interpreter included."""
    tier: Tier = Tier.NONE
    backend: str = ""
    image: str = ""
    """Digest of the container image, where there is one."""
    attempts: int = 1
    reason: str = ""
    """One line for a person, for all but `ok`."""

    @property
    def ok(self) -> bool:
        """Whether the program ended by itself with exit code 0, within all limits."""
        return self.status == "ok"

    @property
    def fault(self) -> bool:
        """Whether the sandbox failed, so that nothing is known about the program."""
        return self.status == "internal_error"

    @property
    def text(self) -> str:
        """Stdout as text, undecodable bytes replaced."""
        return self.stdout.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class IsolationReport:
    """What a sandbox really enforces, found by trying."""

    backend: str
    tier: Tier
    mechanisms: Mapping[str, str]
    """Mechanism -> `active`, or why it is not."""
    languages: tuple[str, ...] = ("python",)
    image: str = ""
    """Digest of the container image, where there is one."""

    def missing(self, tier: Tier) -> list[str]:
        """Return what keeps the sandbox from a tier, each as `mechanism: reason`."""
        needed = [name for level, names in MECHANISMS.items() if level <= tier for name in names]
        return [f"{n}: {self.mechanisms[n]}" for n in needed if self.mechanisms.get(n, "active") != "active"]


MECHANISMS: Mapping[Tier, tuple[str, ...]] = {
    Tier.LIMITS: ("rlimits",),
    Tier.FILTERED: ("seccomp", "landlock"),
    Tier.NAMESPACES: ("namespaces",),
    Tier.CGROUPS: ("cgroups",),
}
"""What each tier adds."""


@dataclass(frozen=True, slots=True)
class CellResult:
    """What one cell of a session left."""

    status: Literal["ok", "error", "interrupted", "dead"]
    """`error`: the code raised. `interrupted`: stopped at its limit, the state is kept. `dead`: the session is gone."""
    stdout: str = ""
    stderr: str = ""
    value: str = ""
    """`repr` of the last expression, when there is one and it is not None."""
    truncated: bool = False
    seconds: float = 0.0


class Session(Protocol):
    """A Python interpreter that keeps its variables from cell to cell."""

    def execute(self, code: str, *, seconds: float | None = None) -> CellResult:
        """Run one cell. Never raises for what the code does; raises `SandboxFault` for what the sandbox does."""
        ...

    def close(self) -> None:
        """End the interpreter and everything it started. Idempotent."""
        ...


@runtime_checkable
class Sandbox(Protocol):
    """Runs untrusted programs. Safe to share between threads."""

    def capabilities(self) -> IsolationReport:
        """Return what is enforced here."""
        ...

    def run(self, job: Job) -> JobResult:
        """Run one job and wait for it. Raises nothing for what the program or the sandbox does wrong."""
        ...

    async def arun(self, job: Job) -> JobResult:
        """Run one job without blocking the event loop."""
        ...

    def run_many(self, jobs: Iterable[Job]) -> Iterator[tuple[int, JobResult]]:
        """Run jobs side by side; yield (position, result) in the order of completion."""
        ...

    def session(self, limits: Limits = ...) -> Session:
        """Start a stateful interpreter. `cpu_seconds` and `wall` hold for each cell."""
        ...

    def close(self) -> None:
        """End all processes. Idempotent."""
        ...


def require_isolation(sandbox: object) -> None:
    """Raise `ConfigError` when a sandbox cannot be had as it is configured: at the start, not once for every program.

    Sandboxes that cannot tell (without a `check`) pass.
    """
    check = getattr(sandbox, "check", None)
    if check is None:
        return
    try:
        check()
    except SandboxFault as fault:
        raise ConfigError(
            f"the sandbox does not start: {fault}; see what is missing with: assay sandbox doctor"
        ) from None
