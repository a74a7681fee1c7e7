"""`check_environment`: does an environment keep every promise that trainers and evaluations rely on?

Authors run it as `assay check my/Env-v0`, or in a test: `assert check_environment("my/Env-v0").ok`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from assay.core.errors import describe
from assay.envs.conformance import CHECKS, Factory, Failed, Skipped, Subject


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check."""

    name: str
    status: Literal["ok", "failed", "skipped"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The outcomes of all checks of one environment."""

    env_id: str
    checks: tuple[CheckResult, ...]

    @property
    def ok(self) -> bool:
        """Whether no check failed. Skipped checks do not count: read why they were skipped."""
        return not self.failed

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.status == "failed")

    def __getitem__(self, name: str) -> CheckResult:
        """Return the check with this name."""
        return next(check for check in self.checks if check.name == name)

    def __str__(self) -> str:
        return "\n".join(f"{check.status:8}{check.name}: {check.detail}" for check in self.checks)


def check_environment(env_id_or_factory: str | Factory, /, *, episodes: int = 20, **options: Any) -> CheckReport:
    """Run every check and return the report. Never raises for what the environment does wrong.

    Args:
        env_id_or_factory: A registered id, `module:Class`, or a callable that returns a new environment.
        episodes: How many tasks each check tries.
        **options: Passed to the environment.

    Raises:
        ConfigError: The environment cannot be made: unknown id or option.
    """
    subject = Subject(env_id_or_factory, options, episodes)
    try:
        subject.new()
        return CheckReport(subject.name, tuple(_run(name, check, subject) for name, check in CHECKS.items()))
    finally:
        subject.close()


def _run(name: str, check: Callable[[Subject], str], subject: Subject) -> CheckResult:
    try:
        return CheckResult(name, "ok", check(subject))
    except Skipped as reason:
        return CheckResult(name, "skipped", str(reason))
    except Failed as reason:
        return CheckResult(name, "failed", str(reason))
    except Exception as error:  # noqa: BLE001 - whatever the environment raises is what the report is about
        return CheckResult(name, "failed", f"raised {describe(error)}")


__all__ = ["CHECKS", "CheckReport", "CheckResult", "check_environment"]
