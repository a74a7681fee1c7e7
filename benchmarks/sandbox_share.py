"""The sandbox's share of a training step on code: of the processor time, and of the time that a step takes.

    python benchmarks/sandbox_share.py [--steps 20] [--rounds 2] [dotted.key=value ...]

Trains as `configs/code.yaml` says, for some steps, from one warm start, again and again. Two questions:

* How much shorter would a step be if programs cost nothing? In every other step the results of programs that ran
  before are taken from memory; in the next run it is the other steps' turn. Steps that follow each other meet a
  machine of the same speed, and each step is taken in both ways. Wants a quiet machine. Target: less than a tenth.
* Where does processor time go? To the programs themselves (`seconds/sandbox` of the metrics), to the slots that fork,
  confine and end them, or to the trainer, which samples, learns, and hands programs over. A loaded machine
  hardly changes these shares. They are larger: programs run beside each other, and while the policy still samples.

The first step and those with an evaluation are left out.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from assay.core.config import load_config
from assay.sandboxes import Job, JobResult, LocalSandbox
from assay.trainers.config import TrainConfig
from assay.trainers.loop import train
from assay.trainers.reporter import SilentReporter

CONFIG = Path(__file__).parent.parent / "configs" / "code.yaml"


def slot_seconds() -> float:
    """Return the processor time that zygotes of this process and their slots, alive now, have taken themselves."""
    return sum(
        int(Path("/proc", pid, "schedstat").read_text().split()[0]) / 1e9
        for child in _children("self")
        if b"agent.zygote" in Path("/proc", child, "cmdline").read_bytes()
        for pid in _with_slots(child)
    )


def _with_slots(zygote: str) -> list[str]:
    """Return a zygote, its children, and theirs: some slots have a process beside them that mounts, or waits."""
    children = _children(zygote)
    return [zygote, *children, *(below for child in children for below in _children(child))]


def _children(pid: str) -> list[str]:
    tasks = Path("/proc", pid, "task").iterdir()
    return [child for task in tasks for child in (task / "children").read_text().split()]


class Step(NamedTuple):
    """Its number, whether programs were for nothing; seconds of processor time of the programs, their slots and the
    trainer; and seconds that passed.
    """

    number: int
    free: bool
    programs: float
    slots: float
    trainer: float
    wall: float


class Programs:
    """Runs programs in the local sandbox and remembers how they ended; while `free`, answers from memory."""

    def __init__(self) -> None:
        self.free = False
        self.known, self.unknown = 0, 0
        self._results: dict[str, JobResult] = {}

    @contextmanager
    def in_place_of_sandbox(self) -> Iterator[None]:
        """Take the place of `LocalSandbox.run`."""
        run = LocalSandbox.run
        LocalSandbox.run = lambda sandbox, job: self._run(run, sandbox, job)  # type: ignore[method-assign]
        try:
            yield
        finally:
            del LocalSandbox.run

    def _run(self, run: Callable[[Any, Job], JobResult], sandbox: Any, job: Job) -> JobResult:
        key = repr(job)
        result = self._results.get(key) if self.free else None
        if self.free:
            self.known, self.unknown = self.known + (result is not None), self.unknown + (result is None)
        if result is None:
            result = self._results[key] = run(sandbox, job)
        return result


class Steps(SilentReporter):
    """Notes at each row of metrics what has been spent since the one before."""

    def __init__(self, programs: Programs, free: int | None) -> None:
        """`free`: 0 or 1, for programs that cost nothing in steps of even or odd number; None for none."""
        self.rows: list[Step] = []
        self._programs, self._free = programs, free
        self._before: tuple[float, float, float] | None = None

    def on_row(self, row: Mapping[str, Any]) -> None:
        """Keep a step's seconds, and say what programs cost in the next one."""
        now = (slot_seconds(), time.process_time(), time.perf_counter())
        if row.get("kind") != "train":
            self._before = None
            return
        number = row["step"]
        if self._before is not None and row.get("seconds/sandbox") is not None:
            spent = (a - b for a, b in zip(now, self._before, strict=True))
            self.rows.append(Step(number, self._programs.free, row["seconds/sandbox"], *spent))
        self._programs.free = self._free is not None and (number + 1) % 2 == self._free
        self._before = (slot_seconds(), time.process_time(), time.perf_counter())


def steps_of(programs: Programs, free: int | None, directory: Path, overrides: list[str]) -> list[Step]:
    """Train; return the steps."""
    from assay.verifiers.code import memory

    memory.SHARED.clear()  # of verdicts, which would make a repeated run cost nothing
    programs.free = False
    noted = Steps(programs, free)
    train(load_config(TrainConfig, CONFIG, overrides), directory, reporter=noted)
    return noted.rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2, help="how often each step is taken in each way")
    parser.add_argument("overrides", nargs="*", help="changes to the configuration: dotted.key=value")
    options = parser.parse_args()
    shared = ["eval.tasks=8", "eval.samples=1", "eval.ks=[1]", *options.overrides]
    programs = Programs()
    steps: list[Step] = []
    saved: list[float] = []
    with tempfile.TemporaryDirectory() as folder, programs.in_place_of_sandbox():
        steps_of(programs, None, Path(folder, "warm"), [*shared, "steps=0"])
        shared += [f"steps={options.steps}", f"model.path={folder}/warm/model", "warmstart.steps=0"]
        steps_of(programs, None, Path(folder, "known"), shared)
        for number in range(options.rounds):
            both = [steps_of(programs, free, Path(folder, f"{number}-{free}"), shared) for free in (0, 1)]
            by_number = [{step.number: step for step in rows} for rows in both]
            for one, other in ((by_number[0][n], by_number[1][n]) for n in by_number[0].keys() & by_number[1].keys()):
                real, free = (other, one) if one.free else (one, other)
                saved.append(real.wall - free.wall)
            steps += [step for rows in both for step in rows if not step.free]
    spent = (statistics.mean(getattr(step, part) for step in steps) for part in ("programs", "slots", "trainer"))
    inside, slots, trainer = spent
    total, wall = inside + slots + trainer, statistics.mean(step.wall for step in steps)
    print(f"{len(steps)} steps, processor seconds: programs {inside:.3f}, slots {slots:.3f}, trainer {trainer:.3f}")
    print(f"programs {inside / total:.1%} of all, with their slots {(inside + slots) / total:.1%}")
    share, error = statistics.mean(saved) / wall, statistics.stdev(saved) / len(saved) ** 0.5 / wall
    print(f"a step takes {wall:.3f} s; with programs for nothing {share:.1%} less (+- {error:.1%}, {len(saved)} pairs)")
    print(f"({programs.known} of {programs.known + programs.unknown} programs were the same again)")


if __name__ == "__main__":
    main()
