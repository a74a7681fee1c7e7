"""The Docker engine: reached, asked what it can enforce, and rid of leftovers.

The engine must be on this machine: programs and their output travel as open descriptors over a socket in a directory
that is mounted into the container. Images are never pulled: what runs is what the user has put there.
"""

from __future__ import annotations

import contextlib
from typing import Any

from assay.core.errors import ConfigError
from assay.sandboxes.base import SandboxFault
from assay.sandboxes.docker import owner


class Engine:
    """A connection to an engine."""

    def __init__(self, url: str | None = None) -> None:
        """Connect; by default where `DOCKER_HOST` says. Raises `ConfigError` when nothing answers."""
        try:
            import docker
        except ImportError:
            raise ConfigError("the docker sandbox needs the Docker SDK: pip install 'assay-rl[docker]'") from None
        self._errors: Any = docker.errors
        try:
            self.client = docker.DockerClient(base_url=url) if url else docker.from_env()
            self.client.ping()
        except (docker.errors.DockerException, OSError) as error:
            raise ConfigError(f"no Docker engine answers at {url or 'DOCKER_HOST'}: {error}") from None
        address = str(self.client.api.base_url)
        if not address.startswith("http+docker://"):
            raise ConfigError(f"the Docker engine must be on this machine, behind a unix socket, not at {address}")
        self.info: dict[str, Any] = self.client.info()
        if self.info["OSType"] != "linux":
            raise ConfigError("the docker sandbox needs Linux containers")

    def image(self, name: str) -> str:
        """Return the digest of an image. Raises `ConfigError` when the engine does not have it."""
        try:
            return str(self.client.images.get(name).id)
        except self._errors.ImageNotFound:
            raise ConfigError(f"the engine has no image {name!r}; get it with: docker pull {name}") from None

    def control_groups(self) -> str:
        """Return `active` when memory and processes can be limited, otherwise what is missing."""
        needed = {"MemoryLimit": "memory", "PidsLimit": "pids"}
        missing = [name for key, name in needed.items() if not self.info.get(key)]
        return f"the engine cannot limit {' and '.join(missing)}" if missing else "active"

    def create(self, options: dict[str, Any]) -> Any:
        """Create and start a container. Raises `SandboxFault`."""
        try:
            container = self.client.containers.create(**options)
        except self._errors.APIError as error:
            raise SandboxFault(f"no container: {error.explanation}") from None
        try:
            container.start()
        except self._errors.APIError as error:
            self.remove(container)
            raise SandboxFault(f"the container does not start: {error.explanation}") from None
        return container

    def state(self, container: Any) -> tuple[bool, str]:
        """Return whether a container runs, and the last line that it wrote."""
        try:
            container.reload()
            lines = container.logs(tail=1).decode("utf-8", "replace").strip().splitlines()
            return container.status == "running", lines[-1] if lines else "no message"
        except (self._errors.APIError, OSError) as error:
            return False, str(error)

    def remove(self, container: Any) -> None:
        """Kill and remove a container."""
        with contextlib.suppress(self._errors.APIError, OSError):  # gone already, or the engine is
            container.remove(force=True, v=True)

    def reap(self) -> int:
        """Remove the containers whose owners are gone; return how many."""
        count = 0
        for container in self.client.containers.list(all=True, filters={"label": owner.LABEL}, ignore_removed=True):
            if owner.gone(container.labels.get(owner.LABEL, "")):
                self.remove(container)
                count += 1
        return count

    def close(self) -> None:
        """Close the connection."""
        self.client.close()
