"""AuditReport: the result of an audit, and its JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.audits.accuracy import Accuracy, Latency
from assay.audits.calibration import Calibration
from assay.audits.certified import Certified
from assay.audits.corpora import UnreadableGold
from assay.audits.exploits import Exploits
from assay.audits.findings import Finding
from assay.audits.frames import FrameRow
from assay.audits.process import ProcessAudit
from assay.audits.training import NoiseChannel, training_terms

if TYPE_CHECKING:
    from assay.audits.scope import AuditPlan

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The result of an audit. `to_json` is what the command line writes."""

    verifier: str
    plan: AuditPlan
    latency: Latency
    """Of labelled and certified cases."""
    unreadable: tuple[UnreadableGold, ...]
    findings: tuple[Finding, ...]
    """Worst first."""
    labels: Accuracy | None = None
    """On the labelled rows."""
    certified: Certified | None = None
    """On generated cases that are right or wrong by proof."""
    exploits: Exploits | None = None
    calibration: Calibration | None = None
    """Of the scores on labelled rows, else on certified cases; None for a verifier that only says yes or no."""
    process: ProcessAudit | None = None
    """Of step scores, for verifiers that give them."""
    frame: str = "{answer}"
    frames: tuple[FrameRow, ...] = ()
    seconds: float = 0.0

    @property
    def headline(self) -> Accuracy | None:
        """The rates that the report leads with: labelled rows, else certified cases."""
        return self.labels or (self.certified.accuracy if self.certified else None)

    @property
    def channel(self) -> NoiseChannel | None:
        """The verifier as a noise channel, when both error rates were measured."""
        best = self.headline
        if best is None or best.fp.value is None or best.fn.value is None:
            return None
        return NoiseChannel(rho0=best.fp.value, rho1=best.fn.value)

    def to_json(self) -> dict[str, Any]:
        """Return plain data. At the top: `n`, the rates, their intervals, counts by status, latencies in ms."""
        best, channel = self.headline, self.channel
        return {
            "schema_version": SCHEMA_VERSION,
            "verifier": self.verifier,
            "level": self.plan.level,
            "n": best.confusion.total if best else 0,
            "fn_rate": best.fn.value if best else None,
            "fp_rate": best.fp.value if best else None,
            "fn_interval": list(best.fn.interval) if best else None,
            "fp_interval": list(best.fp.interval) if best else None,
            "status": dict(best.status) if best else {},
            "latency": self.latency.to_json(),
            "seconds": self.seconds,
            "unreadable_golds": [{"id": g.id, "target": g.target, "reason": g.reason} for g in self.unreadable],
            "findings": [f.to_json() for f in self.findings],
            "labels": self.labels.to_json() if self.labels else None,
            "certified": self.certified.to_json() if self.certified else None,
            "attacks": self.exploits.to_json() if self.exploits else None,
            "calibration": self.calibration.to_json() if self.calibration else None,
            "process": self.process.to_json() if self.process else None,
            "frame": self.frame,
            "frames": [row.to_json() for row in self.frames],
            "training": training_terms(channel, group=self.plan.group) if channel else None,
        }
