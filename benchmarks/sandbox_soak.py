"""Many mixed jobs while slots and the zygote are killed at random: every job ends once, truly, and nothing leaks.

    python benchmarks/sandbox_soak.py --jobs 200000 [--kill-every 2.0] [--threads 4]
    python benchmarks/sandbox_soak.py --oversubscribe 8

Exit code 1 when any claim fails: a job whose status is not what its program must end with (other than a fault that is
told as one, for a job that was hit by three kills); a process, descriptor, mount, control group or directory that is
left behind; the memory of the caller or of a slot grown by more than 5 % between the first tenth and the end.

With `--oversubscribe` it runs, instead, the programs that must work, while that many busy processes for each processor
want it too: none may fail, also not one that needs half of its CPU limit.

As root the benchmark runs in a mount namespace of its own: mounts that others make meanwhile, such as those of a
container that starts, cannot be taken for ours, and one of ours that came out of its slot would show there.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assay.sandboxes import Call, Job, JobResult, Limits, LocalSandbox
from assay.sandboxes.attacks import HONEST
from assay.sandboxes.local import cgroups, identities
from assay.sandboxes.local.agent import linux

ROOMY = Limits(cpu_seconds=20, wall_seconds=60, output_bytes=10_000)
SHORT = Limits(cpu_seconds=20, wall_seconds=0.2)
KINDS: dict[str, tuple[str, Job]] = {
    "pass": ("ok", Job(source="pass", limits=ROOMY)),
    "prints": ("ok", Job(source="print(input())", stdin=b"1\n", limits=ROOMY)),
    "calls": ("ok", Job(source="def f(x): return x * 2", call=Call("f", (21,)), limits=ROOMY)),
    "writes files": ("ok", Job(source="open('a', 'w').write('x' * 1000)", fetch=("a",), limits=ROOMY)),
    "runs a command": ("ok", Job(argv=("/bin/sh", "-c", "echo hi > f; cat f"), limits=ROOMY)),
    "leaves a daemon": (
        "ok",
        Job(source="import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)", limits=ROOMY),
    ),
    "exits with 3": ("nonzero", Job(source="raise SystemExit(3)", limits=ROOMY)),
    "crashes": ("signal", Job(source="import os; os.kill(os.getpid(), 11)", limits=ROOMY)),
    "prints too much": ("output_limit", Job(source="print('x' * 100_000)", limits=ROOMY)),
    "wants too much memory": ("memory_limit", Job(source="bytearray(1 << 40)", limits=ROOMY)),
    "sleeps": ("wall_limit", Job(source="import time; time.sleep(60)", limits=SHORT)),
}
WEIGHTS = [40, 12, 12, 8, 6, 2, 6, 4, 4, 5, 1]
GROWTH = 1.05


def resident(pid: int | str) -> int:
    """Return the anonymous resident memory of a process in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("RssAnon")), 0)


def slot_memory(sandbox: LocalSandbox) -> int:
    """Return the memory of the largest slot in KiB; 0 while all are being replaced."""
    assert sandbox._pool is not None
    largest = 0
    for slot in list(sandbox._pool._all):
        with contextlib.suppress(OSError, ValueError):
            handle = Path(f"/proc/self/fdinfo/{slot._pidfd}").read_text()
            largest = max(largest, resident(int(handle.split("Pid:")[1].split()[0])))
    return largest


def leftovers(boxes: Path | None) -> dict[str, int]:
    """Count what the sandbox of this process could leave on the machine. Other sandboxes may be at work on it."""
    found = cgroups.find()
    groups = {path for parent in {found.memory, found.pids} for path in parent.glob(f"assay-{os.getpid()}-*")}
    processes = len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            text = status.read_text()
            ours = int(text.split("Uid:\t")[1].split()[0]) in identities.own()
            processes += ours and "State:\tZ" not in text  # dead, and for the machine's first process to reap
    return {
        "processes": processes,
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "mounts": len(Path("/proc/self/mounts").read_text().splitlines()),
        "control groups": len(groups),
        "directories": int(boxes is not None and boxes.exists()),
    }


def own_mounts() -> None:
    """Leave the machine's mount namespace, where that is allowed; changes pass neither way afterwards."""
    if os.getuid() == 0:
        with contextlib.suppress(OSError):
            linux.unshare(linux.CLONE_NEWNS)
            linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)


class Killer(threading.Thread):
    """Kills a slot, or one time in four the zygote, at random moments."""

    def __init__(self, sandbox: LocalSandbox, every: float) -> None:
        super().__init__(daemon=True)
        self.sandbox, self.every, self.over, self.kills = sandbox, every, threading.Event(), Counter[str]()

    def run(self) -> None:
        rng = random.Random(1)
        while not self.over.wait(rng.expovariate(1 / self.every)):
            pool = self.sandbox._pool
            assert pool is not None
            if rng.random() < 0.25:
                pool.source._zygote._process.kill()  # type: ignore[attr-defined]
                self.kills["zygote"] += 1
                continue
            slots = list(pool._all)
            slot = rng.choice(slots) if slots else None
            if slot is not None and slot._pidfd >= 0:
                try:
                    signal.pidfd_send_signal(slot._pidfd, signal.SIGKILL)
                    self.kills["slot"] += 1
                except OSError:
                    continue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=200_000)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--kill-every", type=float, default=2.0, help="mean seconds between kills; 0: none")
    parser.add_argument("--oversubscribe", type=int, metavar="N", help="run honest programs beside N busy ones per CPU")
    options = parser.parse_args()
    if options.oversubscribe:
        sys.exit(int(oversubscribed(options.oversubscribe)))
    own_mounts()
    before = leftovers(None)
    wrong: Counter[tuple[str, str, str]] = Counter()
    ended = faults = 0
    names = random.Random(0).choices(list(KINDS), WEIGHTS, k=options.jobs)
    early = late = (0, 0)
    started = time.monotonic()
    with LocalSandbox(2) as sandbox:
        sandbox.check()
        boxes = sandbox._pool.source._boxes  # type: ignore[union-attr]
        killer = Killer(sandbox, options.kill_every)
        if options.kill_every:
            killer.start()

        def run(name: str) -> tuple[str, JobResult]:
            return name, sandbox.run(KINDS[name][1])

        with ThreadPoolExecutor(options.threads) as threads:
            for batch in batches(names, 500):
                for name, result in threads.map(run, batch):
                    ended += 1
                    if result.fault or result.status == "broke_sandbox":
                        faults += 1
                    elif result.status != KINDS[name][0]:
                        wrong[name, result.status, result.reason] += 1
                late = (resident("self"), slot_memory(sandbox) or late[1])
                if ended <= max(500, options.jobs // 10):
                    early = late
                print(f"\r{ended} jobs, {ended / (time.monotonic() - started):.0f} a second", end="", flush=True)
        killer.over.set()
    seconds = time.monotonic() - started
    time.sleep(0.5)
    after = leftovers(boxes)
    growth = [now / max(1, then) for then, now in zip(early, late, strict=True)]
    hit = sum(killer.kills.values())
    print(f"\n{ended} of {options.jobs} jobs in {seconds:.0f} s; kills: {dict(killer.kills)}; told as faults: {faults}")
    print(f"wrong: {dict(wrong) or 'none'}")
    print(f"left behind: {({k: after[k] - before[k] for k in after if after[k] > before[k]}) or 'nothing'}")
    print(f"memory at the end, of that after a tenth: caller {growth[0]:.3f}, slots {growth[1]:.3f}")
    failed = (
        bool(wrong)
        or ended != options.jobs
        or faults > hit // 20 + 1
        or any(after[key] > before[key] for key in after)
        or max(growth) > GROWTH
    )
    sys.exit(int(failed))


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep `count` processes busy, each in a session of its own, so that all of them compete alike."""
    command = [sys.executable, "-S", "-c", "while True: pass"]
    processes = [subprocess.Popen(command, start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def oversubscribed(times: int) -> bool:
    """Run the honest programs beside `times` busy processes for each processor; return whether any failed."""
    programs = {**HONEST, "half of the CPU limit": "import time\nwhile time.process_time() < 2.5: pass\nprint('ok')"}
    cpus = len(os.sched_getaffinity(0))
    started = time.monotonic()
    with LocalSandbox(cpus) as sandbox, busy(times * cpus):
        jobs = [Job(source=source, stdin=b"ok\n") for source in programs.values()]
        results = dict(sandbox.run_many(jobs))
    failures = 0
    for number, name in enumerate(programs):
        result = results[number]
        if not result.ok or result.text.splitlines()[:1] != ["ok"]:
            failures += 1
            print(f"{name}: {result.status} {result.reason} {result.stderr[-200:]!r}")
    slowest = max(results.values(), key=lambda result: result.wall_seconds)
    print(f"{len(programs)} honest programs, {times * cpus} busy processes, {cpus} processors: {failures} failures")
    print(f"{time.monotonic() - started:.0f} s; the slowest took {slowest.wall_seconds:.1f} s, "
          f"{slowest.cpu_seconds:.1f} s of them on a processor")  # fmt: skip
    return failures > 0


def batches(names: list[str], size: int) -> list[list[str]]:
    """Cut a list into pieces."""
    return [names[start : start + size] for start in range(0, len(names), size)]


if __name__ == "__main__":
    main()
