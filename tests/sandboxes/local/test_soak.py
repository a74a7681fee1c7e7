"""Mixed jobs while slots and zygote are killed at random: every job ends once, with a true status."""

import os
import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from assay.sandboxes import Job, Limits, LocalSandbox, Tier
from tests.sandboxes.processes import children, descriptors, slot_processes

pytestmark = [pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux"), pytest.mark.slow]
JOBS = 150
KINDS = {
    "ok": "print('ok')",
    "nonzero": "raise SystemExit(3)",
    "signal": "import os; os.kill(os.getpid(), 11)",
    "wall_limit": "import time; time.sleep(60)",
    "output_limit": "print('x' * 100_000)",
    "memory_limit": "bytearray(1 << 40)",
}
LIMITS = Limits(cpu_seconds=20, wall_seconds=10, output_bytes=10_000)
SHORT = Limits(cpu_seconds=1, wall_seconds=0.2)


def test_jobs_survive_random_kills_and_nothing_leaks():
    rng = random.Random(0)
    before = descriptors()
    kinds = [rng.choice([*KINDS, "ok", "ok", "ok"]) for _ in range(JOBS)]
    with LocalSandbox(2, min_tier=Tier.FILTERED) as sandbox:
        sandbox.run(Job(source="pass"))
        over = threading.Event()
        killer = threading.Thread(target=_kill_at_random, args=(sandbox, over))
        killer.start()

        def run(kind):
            return sandbox.run(Job(source=KINDS[kind], limits=SHORT if kind == "wall_limit" else LIMITS))

        with ThreadPoolExecutor(4) as threads:
            results = list(threads.map(run, kinds))
        over.set()
        killer.join()
        sandbox.run(Job(source="pass"))
        jobs = [pid for slot in slot_processes(sandbox) for pid in children(slot)]
        slots = len(sandbox._pool._all)
    wrong = Counter((kind, r.status, r.reason) for kind, r in zip(kinds, results, strict=True) if r.status != kind)
    assert not {key for key in wrong if key[1] not in ("internal_error", "broke_sandbox")}
    assert sum(wrong.values()) <= JOBS // 50  # one job hit three times is told as such
    assert slots <= 2
    assert not jobs
    assert not descriptors() - before


def _kill_at_random(sandbox, over):
    rng = random.Random(1)
    while not over.wait(rng.uniform(0.5, 1.5)):
        pool = sandbox._pool
        if rng.random() < 0.3 and pool.source._zygote is not None:
            pool.source._zygote._process.kill()
            continue
        for slot in list(pool._all)[:1]:
            if slot._pidfd >= 0:
                try:
                    signal.pidfd_send_signal(slot._pidfd, signal.SIGKILL)
                except OSError:
                    time.sleep(0.01)
