"""Running untrusted programs. Public names are re-exported here."""

from assay.sandboxes.base import (
    Call,
    CellResult,
    IsolationReport,
    Job,
    JobResult,
    Limits,
    Sandbox,
    SandboxFault,
    Session,
    Tier,
    require_isolation,
)
from assay.sandboxes.local.sandbox import LocalSandbox, default_sandbox

__all__ = [
    "Call",
    "CellResult",
    "IsolationReport",
    "Job",
    "JobResult",
    "Limits",
    "LocalSandbox",
    "Sandbox",
    "SandboxFault",
    "Session",
    "Tier",
    "default_sandbox",
    "require_isolation",
]
