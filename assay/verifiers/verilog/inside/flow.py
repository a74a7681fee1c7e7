"""The steps of one check, each a program of its own: gate, synthesis to a netlist, compilation, simulation.

The request comes as JSON on stdin, the report goes as JSON to stdout; files lie in the working directory. A step that
says no ends the flow, and `stage` names it. Limits of time and memory are the job's own.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .gate import examine

_SIGNED_FIELD = re.compile(r"\bstruct\b[^}]*\b(?:signed|(?:short|long)?int(?:eger)?|byte)\b")
_MISREAD = re.compile(r"\b(?:task|function)\b(?s:(?!\bend(?:task|function)\b).)*?\binout\b")
"""Arguments that go both ways, which Yosys 0.23 takes for outputs: the netlist would be of another design."""
_SHOWN = 1500
_SYNTHESIS_SECONDS = 4
"""CPU time after which a design that the simulator can read is simulated without its netlist."""
_LONG = 48
"""Assignments, one upon the other, from which on a netlist is simulated in order."""
_MESSAGES = re.compile(r"^(?:ERROR|.*error|Warning: (?:found|multiple)).*", re.MULTILINE | re.IGNORECASE)


def main() -> None:
    """Serve the request on stdin."""
    request = json.load(sys.stdin)
    with open("design.sv", encoding="utf-8", errors="surrogateescape") as stream:
        source = stream.read()
    sys.stdout.write(json.dumps(check(source, request)))


def check(source: str, request: dict[str, Any]) -> dict[str, Any]:
    """Run the steps that the request asks for: `steps` out of `netlist`, `simulate`, `measure`."""
    gate = examine(source, request["top"])
    if gate["kind"] != "ok":
        return {"stage": "gate", **gate}
    report: dict[str, Any] = {"stage": "gate", "kind": "ok", "ports": gate["ports"]}
    if sorted(gate["ports"]) != sorted(request["ports"] or gate["ports"]):
        return {**report, "kind": "interface", "reason": _difference(gate["ports"], request["ports"])}
    steps = request["steps"]
    texts = _Texts(gate["text"], request["top"])
    netlist = False
    if "netlist" in steps or "measure" in steps:
        code, said = _synthesise(texts, request)
        found = _checked() if code == 0 and "netlist" in steps else ""
        if "conflicting drivers" in found:
            code, said = 1, found
        netlist = code == 0 and "netlist" in steps and "logic loop" not in found and not _has_latches()
        netlist = netlist and not (_MISREAD.search(gate["text"]) and _is_synthesizable(gate["text"]))
        if netlist:
            _put_in_order()
        unread = not _was_read() or code == -signal.SIGXCPU
        if code and ("measure" in steps or not unread or not _is_synthesizable(gate["text"])):
            return {**report, "stage": "synthesis", **_failure(code, said)}
    if not steps:
        report["text"] = [*texts][-1]
    if "measure" in steps:
        report["measured"] = _statistics(request["top"])
    if "simulate" in steps:
        report["twin"] = netlist
        stage, code, said = _simulate(texts, request, netlist)
        if code:
            return {**report, "stage": stage, **_failure(code, said)}
        with open("samples", encoding="ascii", errors="replace") as stream:
            report["samples"] = stream.read()
    return {**report, "stage": "done"}


class _Texts:
    """A design as it was parsed and, made when a tool cannot read that, in plainer words.

    The plainer words come first where a structure has fields with a sign, which Icarus 11 reads and then forgets.
    """

    def __init__(self, text: str, top: str) -> None:
        self._text, self._top = text, top

    def __iter__(self) -> Iterator[str]:
        signed_fields = _SIGNED_FIELD.search(self._text) is not None
        if not signed_fields:
            yield self._text
        from .flatten import flatten  # compiled anew by every job that imports them
        from .lower import lower

        plainer = lower(flatten(self._text, self._top), self._top)
        if signed_fields or plainer != self._text:
            yield plainer


def _synthesise(texts: _Texts, request: dict[str, Any]) -> tuple[int, str]:
    code, said = 0, ""
    for text in texts:
        _write("combinational.sv", _without_checks(text))
        argv = ["yosys", "-Q", "-T", "-l", "/dev/stderr", "-q", "-p", _script(request, request["steps"])]
        code, said = _run(argv, seconds=None if "measure" in request["steps"] else _SYNTHESIS_SECONDS)
        if code <= 0:
            break
    return code, said


def _is_synthesizable(text: str) -> bool:
    from .subset import synthesizable

    return synthesizable(text)


def _was_read() -> bool:
    """Whether synthesis could read the design, whatever came of it then."""
    return Path("read.txt").exists()


def _simulate(texts: _Texts, request: dict[str, Any], netlist: bool) -> tuple[str, int, str]:
    """Compile and run the first text that the simulator can read and does not crash on; say which stage came last."""
    twin = [f"-DTWIN={_twin(request)}"] if netlist else []
    files = ["bench.v", "parsed.sv", *(["netlist.v"] if netlist else [])]
    stage, code, said = "compile", 0, ""
    for text in texts:
        _write("parsed.sv", text)
        stage = "compile"
        code, said = _run(["iverilog", "-g2012", "-Winfloop", *twin, "-s", request["bench"], "-o", "sim", *files])
        if code == 0:
            stage = "simulation"
            code, said = _run(["vvp", "-n", "sim"])
            if code != -signal.SIGABRT:
                break
    return stage, code, said


def _twin(request: dict[str, Any]) -> str:
    """Return the netlist's module name, as hard to guess as the bench's."""
    return "netlist_" + str(request["bench"])


def _script(request: dict[str, Any], steps: list[str]) -> str:
    top = request["top"]
    common = f"read_verilog -sv combinational.sv; hierarchy -check -top {top}; tee -q -o read.txt ls; proc; flatten; "
    if "measure" not in steps:
        return common + (
            "tribuf -merge; opt_clean; tee -q -o check.txt check; "
            "tee -q -o latches.txt select -count t:$*latch* t:$sr; "
            "splitnets -driver; opt_clean -purge; "
            f"rename {top} {_twin(request)}; write_verilog -noattr netlist.v"
        )
    return common + (
        f"synth -top {top} -flatten; dffunmap; abc -g AND,NAND,OR,NOR,XOR,XNOR,MUX; opt_clean; "
        "tee -q -o levels.txt ltp -noff; tee -q -o cells.json stat -json -tech cmos"
    )


def _put_in_order() -> None:
    """Write a netlist with a long chain of logic so that it simulates in the time of its length, not of its square."""
    with open("netlist.v", encoding="utf-8", errors="surrogateescape") as stream:
        netlist = stream.read()
    if netlist.count("\n  assign ") < _LONG:
        return
    from .ordered import ordered  # compiled anew by every job that imports it

    _write("netlist.v", ordered(netlist, _LONG))


def _checked() -> str:
    """Return the warnings about drivers. With a loop, as with a latch, the result depends on the order of events."""
    with open("check.txt", encoding="utf-8", errors="replace") as stream:
        return stream.read()


def _has_latches() -> bool:
    with open("latches.txt", encoding="utf-8") as stream:
        return not stream.read().lstrip().startswith("0 ")


def _statistics(top: str) -> dict[str, float]:
    """Return cells, transistors (an estimate for CMOS) and the longest path in cells between registers."""
    with open("cells.json", encoding="utf-8") as stream:
        text = stream.read()
    with open("levels.txt", encoding="utf-8") as stream:
        length = re.search(r"length=(-?\d+)", stream.read())
    cells = json.loads(text[text.index("{") :])["modules"]["\\" + top]
    transistors = str(cells.get("estimated_num_transistors", cells["num_cells"])).rstrip("+")
    return {
        "cells": float(cells["num_cells"]),
        "transistors": float(transistors),
        "levels": float(max(0, int(length.group(1)))) if length else 0.0,
    }


def _without_checks(text: str) -> str:
    """Write `always_comb`, `always_latch` and `always_ff` as plain `always`.

    Synthesis would otherwise refuse designs over intent alone, such as a latch in an `always_comb`, that simulate well.
    """
    text = re.sub(r"(?<![\\\w$])always_(?:comb|latch)\b", "always @*", text)
    return re.sub(r"(?<![\\\w$])always_ff\b", "always", text)


def _difference(found: list[list[Any]], wanted: list[list[Any]]) -> str:
    def named(ports: list[list[Any]]) -> set[str]:
        return {f"{direction} [{width - 1}:0] {name}" for name, direction, width in ports}

    missing, extra = sorted(named(wanted) - named(found)), sorted(named(found) - named(wanted))
    parts = [f"missing {', '.join(missing)}" if missing else "", f"unexpected {', '.join(extra)}" if extra else ""]
    return "the ports differ: " + "; ".join(filter(None, parts))


def _run(argv: list[str], output: str | None = None, seconds: int | None = None) -> tuple[int, str]:
    """Run a tool, for no more than some CPU seconds; return its exit code and what it said."""
    if seconds is not None:
        argv = ["sh", "-c", f'ulimit -S -t {seconds} 2>/dev/null; exec "$@"', "sh", *argv]
    with open(output or os.devnull, "w") as sink:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stderr.decode("utf-8", "replace")


def _failure(code: int, said: str) -> dict[str, str]:
    """Tell a tool that refused from one that ran out of memory or time, and from one that crashed."""
    if code in (-signal.SIGKILL, -signal.SIGXCPU):
        return {"kind": "limit", "reason": "out of memory" if code == -signal.SIGKILL else "out of time"}
    if code < 0:
        return {"kind": "crash", "reason": f"signal {-code}: {_errors(said)}"}
    return {"kind": "failed", "reason": _errors(said)}


def _errors(said: str) -> str:
    lines = _MESSAGES.findall(said) or said.strip().splitlines()
    return "\n".join(lines)[:_SHOWN]


def _write(name: str, text: str) -> None:
    with open(name, "w", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write(text)
