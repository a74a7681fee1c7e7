"""`isolated`: any verifier, run in a killable process with a time and a memory limit.

    make_verifier("isolated", verifier="acme_rl:SlowVerifier", options={"depth": 3}, wall_seconds=2.0)

The verifier is named, not passed, because it lives in the worker: it is built there once and kept. Task and evidence
travel as JSON. A limit that was hit is no verdict with status `timeout`; `timeout_is_wrong=True` makes it a 0 that
was earned, which closes the way out for a policy that learns to make its verifier hang.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from assay.core.errors import ConfigError, VerifierFault
from assay.core.task import Task
from assay.core.verdict import Verdict, no_verdict, wrong
from assay.verifiers.base import Evidence, Isolation, Verifier, run_verifier
from assay.verifiers.pool import WorkerPool, WorkerTimeout
from assay.verifiers.registry import build_verifier, make_verifier

_TASK, _EVIDENCE, _VERDICT = TypeAdapter(Task), TypeAdapter(Evidence), TypeAdapter(Verdict)


class IsolatedVerifier(Verifier):
    """Runs a named verifier in a worker pool. Safe to share between threads."""

    name = "isolated"
    isolation: Isolation = "process"

    def __init__(
        self,
        verifier: str,
        options: Mapping[str, Any] | None = None,
        *,
        workers: int = 2,
        wall_seconds: float = 1.0,
        memory_mb: int = 512,
        timeout_is_wrong: bool = False,
    ) -> None:
        local = make_verifier(verifier, **(options or {}))  # for its declarations, and to fail early
        self.score_range, self.deterministic, self._label = local.score_range, local.deterministic, local.label
        local.close()
        try:
            self._spec = json.dumps({"name": verifier, **(options or {})}, sort_keys=True)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"options of an isolated verifier must be JSON: {error}") from None
        self.timeout_is_wrong = timeout_is_wrong
        modules = sorted({type(local).__module__, __name__})
        self._pool = WorkerPool(workers, wall_seconds, memory_mb, preload=modules)

    @property
    def label(self) -> str:
        """Name and version of the verifier inside."""
        return self._label

    def verify(self, task: Task, evidence: Evidence) -> Verdict:
        """Judge in a worker."""
        try:
            return _VERDICT.validate_python(self._pool.call(f"{__name__}:judge", *self._arguments(task, evidence)))
        except WorkerTimeout as fault:
            if self.timeout_is_wrong:
                return wrong(str(fault), score=max(0.0, self.score_range[0]), status="timeout")
            return no_verdict(str(fault), status="timeout")
        except VerifierFault as fault:
            return no_verdict(str(fault))

    def verify_group(self, task: Task, evidences: Sequence[Evidence]) -> list[Verdict]:
        """Judge the members one after the other; use threads around single calls for parallel work."""
        return [run_verifier(self, task, evidence) for evidence in evidences]

    def check_target(self, task: Task) -> str | None:
        """Check the gold in a worker, since a gold can be as hostile as an answer."""
        try:
            complaint = self._pool.call(f"{__name__}:check", self._spec, _TASK.dump_python(task, mode="json"))
        except VerifierFault as fault:
            return str(fault)
        return None if complaint is None else str(complaint)

    def close(self) -> None:
        """End the worker processes."""
        self._pool.close()

    def _arguments(self, task: Task, evidence: Evidence) -> tuple[Any, ...]:
        return self._spec, _TASK.dump_python(task, mode="json"), _EVIDENCE.dump_python(evidence, mode="json")


@lru_cache(maxsize=32)
def _inside(spec: str) -> Verifier:
    return build_verifier(json.loads(spec))


def judge(spec: str, task: dict[str, Any], evidence: dict[str, Any]) -> Any:
    """Run in the worker: build or reuse the verifier, judge, and return the verdict as JSON values."""
    verdict = run_verifier(_inside(spec), _TASK.validate_python(task), _EVIDENCE.validate_python(evidence))
    return _VERDICT.dump_python(verdict, mode="json")


def check(spec: str, task: dict[str, Any]) -> str | None:
    """Run in the worker: check the gold of a task."""
    return _inside(spec).check_target(_TASK.validate_python(task))
