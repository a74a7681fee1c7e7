"""What Verilator has to say about a design: advice for a person or a model, never a verdict."""

from __future__ import annotations

import re

from assay.sandboxes import Job, Limits, Sandbox, SandboxFault

_LIMITS = Limits(cpu_seconds=10, memory_bytes=2**30)
_WARNING = re.compile(r"^%(?:Warning|Error)(?:-\w+)?: .*", re.MULTILINE)
_UNASKED = ("DECLFILENAME", "EOFNEWLINE", "TIMESCALEMOD")
_MISSING = 127


def lint(sandbox: Sandbox, design: str, top: str, most: int = 5) -> list[str] | None:
    """Return the first warnings, a line each; None where there is no Verilator. Raises `SandboxFault`."""
    argv = ("verilator", "--lint-only", "-Wall", "-sv", *(f"-Wno-{name}" for name in _UNASKED), "--top-module", top)
    files = {"design.sv": design.encode("utf-8", "surrogatepass")}
    result = sandbox.run(Job(argv=(*argv, "design.sv"), files=files, limits=_LIMITS))
    if result.fault:
        raise SandboxFault(result.reason)
    if result.exit_code == _MISSING:
        return None
    said = result.stderr.decode("utf-8", "replace")
    return [line for line in _WARNING.findall(said) if "Exiting due to" not in line][:most]
