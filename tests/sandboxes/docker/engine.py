"""A Docker engine of the tests' own: started by hand, without network, registry or a service manager."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandboxes.docker.image import write_image

IMAGE = "assay-test:latest"
_START_SECONDS = 60


@contextlib.contextmanager
def engine() -> Iterator[str]:
    """Yield the address of an engine that has the test image; skip, with the reason, where none can be started."""
    docker = pytest.importorskip("docker", reason="the Docker SDK is not installed (extra: docker)")
    if shutil.which("dockerd") is None:
        pytest.skip("dockerd is not installed (docker.io)")
    if os.getuid():
        pytest.skip("starting dockerd needs root")
    home = Path(tempfile.mkdtemp(prefix="dockerd-"))
    url = f"unix://{home}/socket"
    command = ["dockerd", "--data-root", home / "data", "--exec-root", home / "exec", "--pidfile", home / "pid"]
    command += ["--host", url, "--bridge=none", "--iptables=false", "--ip6tables=false"]
    with open(home / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        client = _connect(docker, url, process, home / "log")
        with contextlib.closing(client):
            write_image(home / "image.tar")
            repository, _, tag = IMAGE.partition(":")
            client.api.import_image_from_file(str(home / "image.tar"), repository=repository, tag=tag)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(home, ignore_errors=True)


def _connect(docker, url, process, log):  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            client = docker.DockerClient(base_url=url, timeout=120)
            client.ping()
        except (docker.errors.DockerException, OSError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                lines = log.read_text(errors="replace").strip().splitlines() or [str(error)]
                pytest.skip(f"dockerd does not start here: {lines[-1][-300:]}")
            time.sleep(0.2)
        else:
            return client
