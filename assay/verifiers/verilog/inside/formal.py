"""Sequential equivalence of two designs by temporal induction, with unknown values as values of their own.

Both designs start unknown; where there is a reset it is held at the first step, since otherwise nothing would ever be
known and everything equal. An `x` of the gold is anything, an `x` of the other design is a difference. The solver has
one clock: it is used as it stands only if every register of both designs has the same edge of the same input, which is
read off the netlists; otherwise edges are made explicit first.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from .flow import _run, _without_checks, _write
from .gate import examine

_PROVEN = re.compile(r"^Induction step proven: SUCCESS!$", re.MULTILINE)
_REFUTED = re.compile(r"^SAT temporal induction proof finished - model found for base case: FAIL!$", re.MULTILINE)
_COMBINATIONAL = re.compile(r"^SAT proof finished - (no model found: SUCCESS!|model found: FAIL!)$", re.MULTILINE)


def main() -> None:
    """Serve the request on stdin: `gold` and `gate` name the tops in `gold.sv` and `gate.sv`."""
    request = json.load(sys.stdin)
    sys.stdout.write(json.dumps(decide(request)))


def decide(request: dict[str, Any]) -> dict[str, Any]:
    """Return `status`: `equivalent`, `different` or `unknown`, and `reason`."""
    registers: set[tuple[str, str]] = set()
    for side in ("gold", "gate"):
        with open(f"{side}.sv", encoding="utf-8", errors="surrogateescape") as stream:
            found = examine(stream.read(), request[side])
        if found["kind"] != "ok":
            return {"status": "unknown", "reason": f"{side}: {found['reason']}"}
        if sorted(found["ports"]) != sorted(request["ports"]):
            return {"status": "different", "reason": "the ports differ"}
        _write(f"{side}_parsed.sv", _without_checks(found["text"]))
        script = (
            f"read_verilog -sv {side}_parsed.sv; hierarchy -check -top {request[side]}; proc; flatten; opt_clean; "
            f"check -assert; memory -nomap; memory_map; opt_clean; rename -top {side}; write_rtlil {side}.il; "
            f"write_json {side}.json"
        )
        code, said = _run(["yosys", "-Q", "-T", "-q", "-l", "/dev/stderr", "-p", script])
        if code:
            return {"status": "unknown", "reason": f"{side} cannot be synthesised: {said.strip()[-300:]}"}
        registers |= _clocks(side)
    return _prove(request, registers)


def _clocks(side: str) -> set[tuple[str, str]]:
    """Return the clock input and edge of every register; an empty name for a clock that is no input of its own."""
    with open(f"{side}.json", encoding="utf-8") as stream:
        module = json.load(stream)["modules"][side]
    inputs = {port["bits"][0]: name for name, port in module["ports"].items() if port["direction"] == "input"}
    data = {bit for cell in module["cells"].values() for pin, net in cell["connections"].items() if pin != "CLK"
            for bit in net}  # fmt: skip
    found = set()
    for cell in module["cells"].values():
        if "CLK" in cell["connections"]:
            bit = cell["connections"]["CLK"][0]
            name = "" if bit in data else inputs.get(bit, "")
            found.add((name, cell["parameters"].get("CLK_POLARITY", "")[-1:]))
        elif "latch" in cell["type"]:
            found.add(("", ""))
    return found


def _prove(request: dict[str, Any], registers: set[tuple[str, str]]) -> dict[str, Any]:
    uniform = len(registers) <= 1 and all(name for name, _ in registers)
    clocks = "async2sync" if uniform else "clk2fflogic"
    prepare = f"read_rtlil gold.il; read_rtlil gate.il; {clocks}; opt_clean; "
    prepare += "miter -equiv -ignore_gold_x -make_outputs -flatten gold gate miter; hierarchy -top miter; "
    if registers:
        resets = " ".join(f"-set-at 1 in_{name} {level}" for name, level in request["resets"].items())
        sat = f"sat -tempinduct -set-init-undef {resets} -maxsteps {request['steps']}"
    else:
        sat = "sat"
    sat += f" -enable_undef -set-def-inputs -prove trigger 0 -timeout {request['seconds']} miter"
    code, said = _run(["yosys", "-Q", "-T", "-l", "/dev/stderr", "-p", prepare + sat], output="log")
    if code:
        return {"status": "unknown", "reason": said.strip()[-300:]}
    with open("log", encoding="utf-8", errors="replace") as stream:
        said = stream.read()
    combinational = _COMBINATIONAL.search(said)
    if _PROVEN.search(said) or (combinational and "SUCCESS" in combinational.group(1)):
        return {"status": "equivalent", "reason": "proved by induction" if registers else "proved for all inputs"}
    if _REFUTED.search(said) or combinational:
        return {"status": "different", "reason": "a run of inputs tells them apart"}
    return {"status": "unknown", "reason": f"neither proved nor refuted within {request['seconds']} s"}
