"""DockerSandbox: untrusted programs in hardened containers.

    with DockerSandbox(image="python:3.11-slim") as sandbox:
        sandbox.run(Job(source="print(6 * 7)")).text

A pool of warm containers, one for each job at a time. The main process of a container is the zygote of the local
sandbox, so a job costs a fork and not a container, and the agent, not the engine, ends jobs: `docker exec` would leave
them running. A container is replaced after `jobs_per_container` jobs and whenever anything is odd about it.
"""

from __future__ import annotations

from functools import partial

from assay.core.errors import ConfigError
from assay.sandboxes.base import DEFAULT_LIMITS, Limits, Tier
from assay.sandboxes.docker.engine import Engine
from assay.sandboxes.docker.hardening import options
from assay.sandboxes.docker.source import ContainerSlots
from assay.sandboxes.local import layout
from assay.sandboxes.slotted import SlotSandbox


class DockerSandbox(SlotSandbox):
    """Runs jobs in containers of an engine on this machine. Safe to share between threads.

    Args:
        slots: Containers at one time; by default the CPUs that this process may use.
        image: Image with Python 3.11 or newer. It is not pulled.
        python: The interpreter in the image.
        limits: The most that a job may use: memory, processes and disk are also those of the container.
        cpus: CPUs that a container may use.
        jobs_per_container: Jobs after which a container is replaced.
        preload: What jobs can import for nothing: `plain`, `numpy` or `sympy`; what the image lacks is left out.
        min_tier: The weakest isolation to accept.
        url: Address of the engine, `unix:///...`; by default what `DOCKER_HOST` says.
    """

    backend = "docker"
    advice = "Let the engine limit memory and processes, and use its default seccomp profile"

    def __init__(
        self,
        slots: int | None = None,
        *,
        image: str = "python:3.11-slim",
        python: str = "python3",
        limits: Limits = DEFAULT_LIMITS,
        cpus: float = 1.0,
        jobs_per_container: int = 1000,
        preload: str = "plain",
        min_tier: Tier | int = Tier.NAMESPACES,
        url: str | None = None,
    ) -> None:
        if jobs_per_container < 1 or cpus <= 0:
            raise ConfigError("jobs_per_container must be at least 1, and cpus above 0")
        super().__init__(slots, min_tier)
        self.most = self._most = limits
        self._image, self._python, self._cpus, self._url = image, python, cpus, url
        self._jobs, self._modules = jobs_per_container, layout.preload(preload)

    def _source(self) -> ContainerSlots:
        engine = Engine(self._url)
        engine.reap()
        image = engine.image(self._image)
        make = partial(options, image, self._python, self._modules, self._most, self._cpus)
        return ContainerSlots(engine, image, make, self._most, self._jobs)
