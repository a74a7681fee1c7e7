"""Sandboxes by URL: a client and a server for the `/run_code` format of SandboxFusion, which several trainers speak."""

from assay.sandboxes.remote.client import RemoteSandbox
from assay.sandboxes.remote.server import SandboxServer

__all__ = ["RemoteSandbox", "SandboxServer"]
