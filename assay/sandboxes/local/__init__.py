"""The local sandbox: an executed zygote, slots in namespaces of their own, one fork for each job."""

from assay.sandboxes.local.sandbox import LocalSandbox

__all__ = ["LocalSandbox"]
