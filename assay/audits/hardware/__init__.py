"""Auditing graders of hardware designs: cheats, certified right and wrong designs, and how peers decide."""

from assay.audits.hardware.audit import DESIGN_PLAN, audit_designs
from assay.audits.hardware.cheats import cheats
from assay.audits.hardware.peers import PEERS, PeerGrader

__all__ = ["DESIGN_PLAN", "PEERS", "PeerGrader", "audit_designs", "cheats"]
