"""The messages of `POST /run_code`, as SandboxFusion defined them.

Beyond its fields, a request may hold `raw_stdin`, `limits`, `argv`, `env` and `call`, and an answer of our server holds
`assay`, the exact account. Other ends ignore these; between our own nothing is lost.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import asdict, replace
from typing import Any, Literal

from pydantic import BaseModel, Field

from assay.core.errors import ConfigError
from assay.sandboxes.base import Call, Job, JobResult, Limits, Status, Tier
from assay.sandboxes.local.agent import codec

RUN_CODE = "/run_code"
_MEBIBYTE = 2**20
_STREAMS = ("stdout", "stderr", "result")


class RunRequest(BaseModel):
    """What to run. A negative memory limit stands for the server's own."""

    code: str
    language: str = "python"
    stdin: str | None = None
    compile_timeout: float = Field(10.0, gt=0)
    run_timeout: float = Field(10.0, gt=0)
    memory_limit_MB: int = -1  # noqa: N815 - the name in the format
    files: dict[str, str | None] = {}
    fetch_files: list[str] = []
    raw_stdin: str = ""
    """Standard input as base64, where it is no text."""
    limits: dict[str, Any] | None = None
    argv: list[str] = []
    env: dict[str, str] = {}
    call: str = ""
    """A function and its arguments, in the format of `agent.codec`."""

    def job(self) -> Job:
        """Return the job that runs the code as Python, or `argv`. Raises `ConfigError` for what makes no sense."""
        return Job(
            source=self.code,
            argv=tuple(self.argv),
            call=_call(self.call) if self.call else None,
            stdin=decode(self.raw_stdin, "raw_stdin") if self.raw_stdin else (self.stdin or "").encode(),
            files={name: decode(text or "", f"files[{name!r}]") for name, text in self.files.items()},
            fetch=tuple(self.fetch_files),
            env=self.env,
            limits=self._limits(),
        )

    def _limits(self) -> Limits:
        if self.limits is not None:
            try:
                return Limits(**self.limits)
            except TypeError as error:
                raise ConfigError(f"limits: {error}") from None
        memory = {} if self.memory_limit_MB <= 0 else {"memory_bytes": self.memory_limit_MB * _MEBIBYTE}
        return Limits(cpu_seconds=self.run_timeout, wall_seconds=self.run_timeout, **memory)


def request(job: Job) -> RunRequest:
    """Return the request for a job."""
    limits, text = job.limits, job.stdin.decode("utf-8", "replace")
    return RunRequest(
        code=job.source.encode("utf-8", "replace").decode(),
        stdin=text,
        raw_stdin="" if text.encode() == job.stdin else encode(job.stdin),
        run_timeout=limits.wall,
        memory_limit_MB=max(1, limits.memory_bytes // _MEBIBYTE),
        files={name: encode(content) for name, content in job.files.items()},
        fetch_files=list(job.fetch),
        limits=asdict(limits),
        argv=list(job.argv),
        env=dict(job.env),
        call="" if job.call is None else codec.encode(asdict(job.call)),
    )


def _call(text: str) -> Call:
    try:
        found = codec.decode(text)
        return Call(found["function"], tuple(found["args"]), dict(found["kwargs"]), tuple(found["more"]))
    except (codec.CodecError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"call: {error}") from None


class RunResult(BaseModel):
    """How one command ended."""

    status: Literal["Finished", "Error", "TimeLimitExceeded"]
    execution_time: float | None = None
    return_code: int | None = None
    stdout: str | None = None
    stderr: str | None = None


class Account(BaseModel, extra="forbid"):
    """Our own account of a result; byte strings as base64."""

    status: Status
    exit_code: int | None
    signal: int | None
    truncated: bool
    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int
    attempts: int
    tier: Tier
    image: str
    stdout: str
    stderr: str
    result: str
    missing: list[str]
    """Files that were asked for and are no regular files."""


class RunResponse(BaseModel):
    """The answer. `SandboxError` says that nothing is known about the program."""

    status: Literal["Success", "Failed", "SandboxError"]
    message: str = ""
    compile_result: RunResult | None = None
    run_result: RunResult | None = None
    executor_pod_name: str | None = None
    files: dict[str, str] = {}
    assay: Account | None = None


def _ran(result: JobResult) -> RunResult:
    late = result.status in ("cpu_limit", "wall_limit")
    code = result.exit_code if result.signal is None else -result.signal
    return RunResult(
        status="TimeLimitExceeded" if late else "Error" if code is None else "Finished",
        execution_time=result.wall_seconds,
        return_code=None if late else code,
        stdout=result.stdout.decode("utf-8", "replace"),
        stderr=result.stderr.decode("utf-8", "replace"),
    )


def response(result: JobResult, compiled: JobResult | None = None) -> RunResponse:
    """Return the answer for the result of a run. `compiled`: of the compile step, if there was one."""
    files = {name: encode(content) for name, content in result.files.items() if content is not None}
    if result.fault:
        return RunResponse(status="SandboxError", message=result.reason, assay=_account(result))
    return RunResponse(
        status="Success" if result.ok else "Failed",
        message=result.reason,
        compile_result=None if compiled is None else _ran(compiled),
        run_result=_ran(result),
        files=files,
        assay=_account(result),
    )


def not_compiled(compiled: JobResult) -> RunResponse:
    """Return the answer for a program that does not compile."""
    reason = f"does not compile: {compiled.reason}"
    return RunResponse(
        status="Failed",
        message=reason,
        compile_result=_ran(compiled),
        assay=_account(replace(compiled, status="nonzero", stdout=b"", files={})),
    )


def _account(result: JobResult) -> Account:
    kept = {name: getattr(result, name) for name in Account.model_fields.keys() & JobResult.__dataclass_fields__.keys()}
    kept |= {name: encode(getattr(result, name)) for name in _STREAMS}
    return Account(**kept, missing=[name for name, content in result.files.items() if content is None])


def result_of(answer: RunResponse, backend: str) -> JobResult:
    """Return the result that an answer describes; exact from our own server, as close as it gets from others."""
    files: dict[str, bytes | None] = {name: decode(text, name) for name, text in answer.files.items()}
    if answer.assay is not None:
        known = answer.assay.model_dump(exclude={"missing"})
        known |= {name: decode(known[name], name) for name in _STREAMS}
        files.update(dict.fromkeys(answer.assay.missing))
        return JobResult(**known, files=files, backend=backend, reason=answer.message)
    if answer.status == "SandboxError":
        return JobResult("internal_error", backend=backend, reason=answer.message or "the server's sandbox failed")
    failed = answer.compile_result if answer.run_result is None else None
    ran = answer.run_result or failed
    if ran is None:
        return JobResult("internal_error", backend=backend, reason="the server sent no result")
    code = ran.return_code
    return JobResult(
        _status(ran),
        exit_code=code if code is not None and code >= 0 else None,
        signal=-code if code is not None and code < 0 else None,
        stdout=(ran.stdout or "").encode("utf-8", "surrogatepass"),
        stderr=(ran.stderr or "").encode("utf-8", "surrogatepass"),
        files=files,
        wall_seconds=ran.execution_time or 0.0,
        backend=backend,
        reason=answer.message or ("" if _status(ran) == "ok" else ran.status),
    )


def _status(ran: RunResult) -> Literal["ok", "nonzero", "signal", "wall_limit"]:
    if ran.status == "TimeLimitExceeded":
        return "wall_limit"
    if ran.return_code == 0:
        return "ok"
    return "signal" if ran.return_code is not None and ran.return_code < 0 else "nonzero"


def encode(content: bytes) -> str:
    """Return base64 text."""
    return base64.b64encode(content).decode()


def decode(text: str, what: str) -> bytes:
    """Return the bytes of base64 text. Raises `ConfigError`."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(f"{what} is not base64") from None
