"""How long things take: interleaved rounds, so that whatever else the machine does falls on all of them alike."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from assay.sandboxes.base import Job, Limits, Sandbox, SandboxFault

BARE = "bare subprocess"


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds that one thing took over many rounds."""

    name: str
    seconds: tuple[float, ...]

    def quantile(self, q: float) -> float:
        """Return the q-quantile (nearest rank)."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(q * len(self.seconds)))]


def bare_python(source: str = "pass") -> None:
    """Run a program as one would without a sandbox: the yardstick."""
    subprocess.run([sys.executable, "-I", "-S", "-c", source], check=True, capture_output=True)


def run_checked(sandbox: Sandbox, job: Job) -> None:
    """Run a job that must end well."""
    result = sandbox.run(job)
    if not result.ok:
        raise SandboxFault(f"{result.status}: {result.reason}")


def latencies(actions: Mapping[str, Callable[[], object]], rounds: int) -> list[Latency]:
    """Time the actions in turn, `rounds` times, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(rounds + 1):
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return [Latency(name, tuple(values)) for name, values in seconds.items()]


def throughputs(
    actions: Mapping[str, Callable[[], object]], *, threads: int, seconds: float = 0.5, rounds: int = 6
) -> dict[str, float]:
    """Return how many times a second each action completes on several threads: the middle of interleaved rounds."""
    rates: dict[str, list[float]] = {name: [] for name in actions}
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(rounds):
            for name, action in actions.items():
                started = time.perf_counter()
                done = sum(pool.map(_repeat, [action] * threads, [started + seconds] * threads))
                rates[name].append(done / (time.perf_counter() - started))
    return {name: statistics.median(values) for name, values in rates.items()}


def _repeat(action: Callable[[], object], until: float) -> int:
    count = 0
    while not count or time.perf_counter() < until:
        action()
        count += 1
    return count


def kill_overshoot(sandbox: Sandbox, wall: float = 0.2) -> float:
    """Return by how many seconds a sleeping job outlives its wall limit."""
    result = sandbox.run(Job(source="import time; time.sleep(60)", limits=Limits(cpu_seconds=1, wall_seconds=wall)))
    return result.wall_seconds - wall
