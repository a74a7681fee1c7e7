"""The sandbox's share of a training step on code: of the processor time, and of the time that a step takes.

    python benchmarks/sandbox_share.py [--steps 20] [--rounds 2] [dotted.key=value ...]

Trains as `configs/code.yaml` says, for some steps, from one warm start. Two questions:

* How much shorter would a step be if programs cost nothing? The same steps are taken again with the same programs,
  whose results are remembered from before. Wants a quiet machine. Target: less than a tenth.
* Where does processor time go? To the programs themselves (`seconds/sandbox` of the metrics), to the slots that fork,
  confine and end them, or to the trainer, which samples, learns, and hands programs over. A loaded machine
  hardly changes these shares. They are larger: programs run beside each other, and while the policy still samples.

The first step and those with an evaluation are left out; figures are medians over steps.
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
    """Seconds of processor time of the programs, their slots and the trainer; and seconds that passed."""

    programs: float
    slots: float
    trainer: float
    wall: float


class Steps(SilentReporter):
    """Notes at each row of metrics what has been spent since the one before."""

    def __init__(self) -> None:
        self.rows: list[Step] = []
        self._before: tuple[float, float, float] | None = None

    def on_row(self, row: Mapping[str, Any]) -> None:
        """Keep a step's seconds."""
        now = (slot_seconds(), time.process_time(), time.perf_counter())
        if row.get("kind") != "train":
            self._before = None
            return
        if self._before is not None and row.get("seconds/sandbox") is not None:
            self.rows.append(Step(row["seconds/sandbox"], *(a - b for a, b in zip(now, self._before, strict=True))))
        self._before = now


class Memory:
    """Results of jobs by what was asked, so that a run can be repeated without running them."""

    def __init__(self) -> None:
        self._results: dict[str, JobResult] = {}
        self.known, self.unknown = 0, 0

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Let the local sandbox run jobs, and remember how they ended."""

        def run(run: Callable[[Any, Job], JobResult], sandbox: Any, job: Job) -> JobResult:
            result = self._results[repr(job)] = run(sandbox, job)
            return result

        with _in_place_of_run(run):
            yield

    @contextmanager
    def replaying(self) -> Iterator[None]:
        """Answer for the local sandbox from memory."""

        def run(run: Callable[[Any, Job], JobResult], sandbox: Any, job: Job) -> JobResult:
            result = self._results.get(repr(job))
            self.known, self.unknown = self.known + (result is not None), self.unknown + (result is None)
            return run(sandbox, job) if result is None else result

        with _in_place_of_run(run):
            yield


@contextmanager
def _in_place_of_run(replacement: Callable[..., JobResult]) -> Iterator[None]:
    run = LocalSandbox.run
    LocalSandbox.run = lambda sandbox, job: replacement(run, sandbox, job)  # type: ignore[method-assign]
    try:
        yield
    finally:
        del LocalSandbox.run


def steps_of(directory: Path, overrides: list[str]) -> list[Step]:
    """Train; return the steps."""
    from assay.verifiers.code import memory

    memory.SHARED.clear()  # of verdicts, which would make a repeated run cost nothing
    noted = Steps()
    train(load_config(TrainConfig, CONFIG, overrides), directory, reporter=noted)
    return noted.rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2, help="how often each kind of run is done, in turns")
    parser.add_argument("overrides", nargs="*", help="changes to the configuration: dotted.key=value")
    options = parser.parse_args()
    shared = ["eval.tasks=8", "eval.samples=1", "eval.ks=[1]", *options.overrides]
    real: list[Step] = []
    free: list[Step] = []
    memory = Memory()
    with tempfile.TemporaryDirectory() as folder:
        steps_of(Path(folder, "warm"), [*shared, "steps=0"])
        shared += [f"steps={options.steps}", f"model.path={folder}/warm/model", "warmstart.steps=0"]
        for number in range(options.rounds):
            with memory.recording():
                real += steps_of(Path(folder, f"real-{number}"), shared)
            with memory.replaying():
                free += steps_of(Path(folder, f"free-{number}"), shared)
    programs, slots, trainer, wall = (statistics.median(column) for column in zip(*real, strict=True))
    total = programs + slots + trainer
    print(f"{len(real)} steps, processor seconds: programs {programs:.3f}, slots {slots:.3f}, trainer {trainer:.3f}")
    print(f"programs {programs / total:.1%} of all, with their slots {(programs + slots) / total:.1%}")
    without = statistics.median(step.wall for step in free)
    print(f"a step takes {wall:.3f} s, with the programs for nothing {without:.3f} s: {1 - without / wall:.1%} less")
    print(f"({memory.known} of {memory.known + memory.unknown} programs were the same again)")


if __name__ == "__main__":
    main()
