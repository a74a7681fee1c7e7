"""Published benchmarks of designs, read as they lie on the user's disk; nothing is copied or downloaded.

* VerilogEval v2: a folder with `ProbNNN_name_prompt.txt`, `_ref.sv` and `_test.sv` for each problem, in either style.
* RTLLM: a folder, at any depth, for each design with `design_description.txt`, `testbench.v` and `verified_*.v`.
* Plain rows (`.jsonl`, `.parquet`): `prompt` with the fields of a target (see `assay.verifiers.verilog.target`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.core.errors import DataError
from assay.core.kept import kept
from assay.core.seeding import split_of
from assay.core.task import Task, TaskList, content_id, load_tasks
from assay.verifiers.verilog.target import read_target

_ANSWER = "Answer with one ```verilog code block that holds the whole module. It may use no system tasks."
_load = kept(load_tasks)
_MODULE = re.compile(r"\bmodule\s+([A-Za-z_]\w*)")
_PLAIN = ("top", "reference", "reference_top", "testbench", "ports", "stimulus", "expected", "context", "prefix",
          "cycles", "seed", "cpu_seconds")  # fmt: skip


def design_tasks(source: str | Path, limit: int | None = None) -> TaskList:
    """Return the tasks of a folder or file. `DataError` says what is wrong with it."""
    path = Path(source)
    if not path.is_dir():
        return _load(source, _plain, limit=limit)
    prompts = sorted(path.glob("*_prompt.txt"))
    descriptions = sorted(path.rglob("design_description.txt"))
    if prompts:
        tasks = [_verilog_eval(prompt) for prompt in prompts[:limit]]
    elif descriptions:
        tasks = [_rtllm(description, path) for description in descriptions[:limit]]
    else:
        raise DataError("holds neither *_prompt.txt (VerilogEval) nor design_description.txt (RTLLM)", path=str(source))
    return TaskList(tasks)


def _verilog_eval(prompt: Path) -> Task:
    stem = prompt.name.removesuffix("_prompt.txt")
    reference = _read(prompt.with_name(f"{stem}_ref.sv"))
    target = {
        "top": "TopModule",
        "reference": reference,
        "reference_top": "RefModule",
        "testbench": _read(prompt.with_name(f"{stem}_test.sv")),
    }
    solution = re.sub(r"\bRefModule\b", "TopModule", reference)
    return _task(stem, f"{_read(prompt).strip()}\n\n{_ANSWER}", target, solution, prompt)


def _rtllm(description: Path, root: Path) -> Task:
    folder = description.parent
    references = sorted(folder.glob("verified_*.v")) or sorted(folder.glob("*_ref.v"))
    if not references:
        raise DataError("has no verified_*.v beside its description", path=str(description))
    reference, testbench = _read(references[0]), _read(folder / "testbench.v")
    defined = _MODULE.findall(reference)
    # The testbench knows the module's name; some verified sources carry another one, or a prefix.
    top = next((name for name in defined if re.search(rf"\b{name}\b", testbench)), "")
    reference_top = top
    if not top:
        instance = re.search(
            r"^\s*(?!module\b)([A-Za-z_]\w*)\s+(?:#\s*\(.*?\)\s*)?\w+\s*\(\s*\.", testbench, re.MULTILINE
        )
        if instance is None or not defined:
            raise DataError("no module of the verified source is used in testbench.v", path=str(folder))
        top, reference_top = instance.group(1), defined[-1].replace("verified_", "")
        reference_top = reference_top if reference_top in defined else defined[-1]
    target = {"top": top, "reference": reference, "reference_top": reference_top, "testbench": testbench}
    solution = re.sub(rf"\b{reference_top}\b", top, reference)
    name = folder.relative_to(root).as_posix()
    return _task(name, f"{_read(description).strip()}\n\n{_ANSWER}", target, solution, description)


def _plain(row: dict[str, Any]) -> Task:
    target = {key: row[key] for key in _PLAIN if key in row} | dict(row.get("target") or {})
    question = row.get("prompt") or row["question"]
    solution = str(row.get("solution") or "")
    return _built(str(row.get("id") or content_id(question)), question, target, solution)


def _task(name: str, question: str, target: Mapping[str, Any], solution: str, path: Path) -> Task:
    try:
        return _built(name, question, target, solution)
    except ValueError as error:
        raise DataError(str(error), path=str(path)) from None


def _built(name: str, question: str, target: Mapping[str, Any], solution: str) -> Task:
    read_target(target)  # refuses here what no verifier could read
    return Task(name, question, dict(target), split=split_of(question), metadata={"solution": solution})


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", path=str(path)) from None
