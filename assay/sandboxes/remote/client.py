"""RemoteSandbox: a sandbox behind a URL, ours (`assay sandbox serve`) or any that speaks SandboxFusion's format.

    RemoteSandbox("http://sandbox:8080").run(Job(source="print(6 * 7)"))

Invariants: a job is posted again only when the server said that it did not take it, or was not reached; then with
growing, jittered pauses, until the deadline of the job has passed. What a server cannot say about its isolation counts
as none: results of a foreign server have tier 0, and are refused unless `min_tier` allows it.
"""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from assay.core.errors import ConfigError
from assay.sandboxes.base import DEFAULT_LIMITS, IsolationReport, Job, JobResult, Limits, SandboxFault, Session, Tier
from assay.sandboxes.remote import wire
from assay.sandboxes.threaded import ThreadedSandbox

if TYPE_CHECKING:
    import httpx

    from assay.sandboxes.local.execution import Execution

CAPABILITIES = "/capabilities"
_RETRIED = frozenset({429, 502, 503, 504})
_SLACK_SECONDS = 30.0
_LONGEST_PAUSE = 5.0


class RemoteSandbox(ThreadedSandbox):
    """Runs jobs on a server. Safe to share between threads.

    Args:
        url: Base address of the server; `/run_code` is added when it is missing.
        slots: Requests under way at one time.
        token: Sent as a bearer token; by default what the environment variable `ASSAY_SANDBOX_TOKEN` holds.
        min_tier: The weakest isolation to accept; 0 for servers that do not say how they isolate.
        slack_seconds: How much longer than the job's wall limit to wait for an answer, queueing included.
    """

    backend = "remote"

    def __init__(
        self,
        url: str,
        slots: int = 16,
        *,
        token: str | None = None,
        min_tier: Tier | int = Tier.NAMESPACES,
        slack_seconds: float = _SLACK_SECONDS,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"the address of a sandbox starts with http:// or https://, not {url!r}")
        super().__init__(slots)
        import httpx  # heavy

        self._url = url.rstrip("/").removesuffix(wire.RUN_CODE)
        self._transport_errors: tuple[type[Exception], ...] = (httpx.TransportError,)
        self._unsent_errors = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
        token = os.environ.get("ASSAY_SANDBOX_TOKEN") if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(headers=headers, limits=httpx.Limits(max_connections=slots))
        self._slack, self.min_tier = slack_seconds, Tier(min_tier)
        self._report: IsolationReport | None = None

    def capabilities(self) -> IsolationReport:
        """Return what the server says that it enforces. Raises `SandboxFault` when it is not reached."""
        if self._report is None:
            answer = self._exchange("GET", CAPABILITIES, None, time.monotonic() + self._slack)
            if answer.status_code == 404:
                why = {"namespaces": "the server does not say how it isolates"}
                self._report = IsolationReport(self.backend, Tier.NONE, why)
            else:
                self._report = _read_report(answer.json(), self.backend)
        return self._report

    def check(self) -> None:
        """Raise `ConfigError` when the isolation is weaker than `min_tier`. What `run` would raise, before any job."""
        report = self.capabilities()
        if report.tier < self.min_tier:
            missing = "; ".join(report.missing(self.min_tier))
            raise ConfigError(
                f"the sandbox at {self._url} reaches tier {report.tier.value}, and min_tier is {self.min_tier.value}; "
                f"missing: {missing}. Use another server, or accept less with min_tier={report.tier.value}"
            )

    def run(self, job: Job) -> JobResult:
        """Run one job. Raises `ConfigError` for a server that is too weak, or refuses the job; nothing else."""
        try:
            self.check()
            if job.call is not None and self.capabilities().tier == Tier.NONE:
                raise ConfigError("only a server of assay's can call functions; this one runs programs")
            body = wire.request(job).model_dump()
            answer = self._exchange("POST", wire.RUN_CODE, body, time.monotonic() + job.limits.latest + self._slack)
            return wire.result_of(wire.RunResponse.model_validate_json(answer.content), self.backend)
        except (SandboxFault, ValidationError) as error:
            return JobResult("internal_error", backend=self.backend, reason=str(error).splitlines()[0])

    def session(self, limits: Limits = DEFAULT_LIMITS) -> Session:
        """Raise `ConfigError`: the format has no sessions."""
        raise ConfigError("a remote sandbox has no sessions; use the local or the docker sandbox for them")

    def open(self, job: Job, mode: str) -> Execution:
        """Raise `ConfigError`: the format has no channel to talk to a program."""
        raise ConfigError("tests that talk to a running program need the local or the docker sandbox, not a remote one")

    def close(self) -> None:
        """Close the connections. Idempotent."""
        self._http.close()

    def _exchange(self, method: str, path: str, body: dict[str, Any] | None, deadline: float) -> httpx.Response:
        pause, trouble = 0.1, "no answer in time"
        while (left := deadline - time.monotonic()) > 0:
            try:
                answer = self._http.request(method, self._url + path, json=body, timeout=left)
            except self._unsent_errors as error:
                trouble = f"not reached: {error}"
            except self._transport_errors as error:
                raise SandboxFault(f"the sandbox at {self._url} was lost: {type(error).__name__}: {error}") from None
            else:
                if answer.status_code not in _RETRIED:
                    return _accepted(answer, self._url)
                trouble = f"HTTP {answer.status_code}"
            time.sleep(min(pause * random.uniform(0.5, 1.5), max(0.0, deadline - time.monotonic())))
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise SandboxFault(f"the sandbox at {self._url}: {trouble}")


def _accepted(answer: httpx.Response, url: str) -> httpx.Response:
    if answer.status_code < 400 or (answer.status_code == 404 and answer.url.path.endswith(CAPABILITIES)):
        return answer
    if answer.status_code >= 500:
        raise SandboxFault(f"the sandbox at {url}: HTTP {answer.status_code}")
    raise ConfigError(f"the sandbox at {url} refuses (HTTP {answer.status_code}): {answer.text[:300]}")


def _read_report(raw: Any, backend: str) -> IsolationReport:
    try:
        mechanisms = {str(name): str(state) for name, state in raw["mechanisms"].items()}
        languages = tuple(str(name) for name in raw["languages"])
        return IsolationReport(backend, Tier(raw["tier"]), mechanisms, languages, image=str(raw["image"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SandboxFault(f"the server's capabilities cannot be read: {type(error).__name__}") from None
