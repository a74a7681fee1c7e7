"""Sandboxes of every kind, for the tests of what all of them promise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assay.sandboxes import LocalSandbox, Sandbox, Tier
from tests.sandboxes.docker.engine import IMAGE, engine


@pytest.fixture(scope="session")
def docker_url() -> Iterator[str]:
    """Address of a running engine."""
    with engine() as url:
        yield url


@pytest.fixture(scope="session")
def docker_sandbox(docker_url: str) -> Iterator[Sandbox]:
    """Two containers."""
    from assay.sandboxes.docker import DockerSandbox

    with DockerSandbox(2, image=IMAGE, url=docker_url, min_tier=Tier.FILTERED) as sandbox:
        yield sandbox


@pytest.fixture(scope="module", params=["local", "docker"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """One of each kind."""
    if request.param == "docker":
        yield request.getfixturevalue("docker_sandbox")
    else:
        with LocalSandbox(2, min_tier=Tier.FILTERED) as sandbox:
            yield sandbox
