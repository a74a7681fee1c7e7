"""Auditing graders of code: hacks, certified wrong and right programs."""

from assay.audits.code.audit import CODE_PLAN, audit_code
from assay.audits.code.hacks import Hack, function_hacks, stdio_hacks

__all__ = ["CODE_PLAN", "Hack", "audit_code", "function_hacks", "stdio_hacks"]
