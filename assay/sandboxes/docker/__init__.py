"""The Docker sandbox: hardened containers, each of which runs the agent of the local sandbox as its main process."""

from assay.sandboxes.docker.sandbox import DockerSandbox

__all__ = ["DockerSandbox"]
