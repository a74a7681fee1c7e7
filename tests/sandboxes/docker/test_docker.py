"""Containers are hardened, replaced, removed, and named in results; what cannot be had is refused."""

import multiprocessing
import os
import signal
import threading
import time

import pytest
from typer.testing import CliRunner

from assay.cli.app import app
from assay.core.errors import ConfigError
from assay.sandboxes import Job, Limits, Tier
from assay.sandboxes.attacks import HONEST, run_attacks
from assay.sandboxes.attacks.escape import ESCAPES
from assay.sandboxes.attacks.exhaustion import EXHAUSTIONS
from assay.sandboxes.attacks.leaks import LEAKS
from assay.sandboxes.attacks.network import NETWORK
from assay.sandboxes.attacks.persistence import PERSISTENCE
from assay.sandboxes.docker import DockerSandbox, owner
from tests.sandboxes.docker.engine import IMAGE


@pytest.fixture(scope="module")
def client(docker_url):
    import docker

    client = docker.DockerClient(base_url=docker_url)
    yield client
    client.close()


def ours(client):
    return client.containers.list(all=True, filters={"label": owner.LABEL})


def test_tier_and_image_are_reported(docker_sandbox, client):
    report = docker_sandbox.capabilities()
    result = docker_sandbox.run(Job(source="pass"))
    assert report.tier == result.tier == Tier.CGROUPS, report
    assert report.image == result.image == client.images.get(IMAGE).id


def test_containers_are_hardened(docker_sandbox, client):
    docker_sandbox.run(Job(source="pass"))
    for container in ours(client):
        host, config = container.attrs["HostConfig"], container.attrs["Config"]
        assert host["NetworkMode"] == "none"
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert not host["CapAdd"]
        assert not host["Privileged"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["Memory"] == host["MemorySwap"] > 0
        assert host["PidsLimit"] > 0
        assert host["NanoCpus"] > 0
        assert int(config["User"].split(":")[0]) > 65535
        assert all(not mount["RW"] for mount in container.attrs["Mounts"])


def test_escapes_network_and_leaks_are_refused(docker_sandbox):
    attacks = (*ESCAPES, *NETWORK, *LEAKS, *PERSISTENCE)
    assert not [f"{o.attack.name}: {o.problem}" for o in run_attacks(docker_sandbox, attacks) if not o.withstood]


@pytest.mark.slow
def test_exhaustion_is_contained(docker_sandbox):
    assert not [f"{o.attack.name}: {o.problem}" for o in run_attacks(docker_sandbox, EXHAUSTIONS) if not o.withstood]


def test_honest_programs_work(docker_sandbox):
    for name, source in HONEST.items():
        result = docker_sandbox.run(Job(source=source, stdin=b"ok\n"))
        assert result.ok, (name, result.status, result.stderr)
        assert result.text.splitlines()[0] == "ok", name


def test_a_container_is_replaced_after_its_jobs_and_when_killed(docker_url, client):
    others = {c.id for c in ours(client)}
    with DockerSandbox(1, image=IMAGE, url=docker_url, jobs_per_container=2) as sandbox:
        seen = set()
        for _ in range(4):
            assert sandbox.run(Job(source="pass")).attempts == 1
            seen |= set(sandbox._pool._all)
        assert len(seen) >= 2

        def kill():
            while not sandbox._pool._all or sandbox._pool._idle:  # until a container has the job
                time.sleep(0.01)
            for container in ours(client):
                if container.id not in others:
                    container.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        result = sandbox.run(Job(source="import time; time.sleep(5); print('done')"))
        killer.join()
        assert (result.status, result.text, result.attempts) == ("ok", "done\n", 2)
    assert {c.id for c in ours(client)} == others


def _start_and_die(url, ready):
    sandbox = DockerSandbox(1, image=IMAGE, url=url)
    sandbox.run(Job(source="pass"))
    ready.set()
    signal.pause()


def test_leftovers_of_a_killed_caller_are_reaped(docker_url, client):
    before = {c.id for c in ours(client)}
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_start_and_die, args=(docker_url, ready))
    process.start()
    assert ready.wait(120)
    (left,) = [c for c in ours(client) if c.id not in before]
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    left.wait(timeout=60)  # the zygote ends by itself when its client is gone
    with DockerSandbox(1, image=IMAGE, url=docker_url) as sandbox:
        sandbox.run(Job(source="pass"))
    assert not [c for c in ours(client) if c.id not in before]


def test_owners():
    assert not owner.gone(owner.identity())
    machine = owner.identity().rsplit("/", 2)[0]
    assert owner.gone(f"{machine}/{os.getpid()}/1")
    assert owner.gone(f"{machine}/99999999/1")
    assert owner.gone("another-boot/1/1/1")
    assert not owner.gone(f"{machine.split('/')[0]}/another-namespace/1/1")
    assert not owner.gone("garbage")


def test_what_cannot_be_had_is_refused(docker_url):
    with (
        DockerSandbox(image="no-such-image", url=docker_url) as sandbox,
        pytest.raises(ConfigError, match="docker pull"),
    ):
        sandbox.run(Job(source="pass"))
    with DockerSandbox(image=IMAGE, url=docker_url) as sandbox, pytest.raises(ConfigError, match="memory_bytes"):
        sandbox.run(Job(limits=Limits(memory_bytes=2**40)))
    with DockerSandbox(url="unix:///no/such/socket") as sandbox, pytest.raises(ConfigError, match="no Docker engine"):
        sandbox.run(Job(source="pass"))
    with DockerSandbox(image=IMAGE, url=docker_url, python="no-python") as sandbox:
        result = sandbox.run(Job(source="pass"))
        assert result.status == "internal_error"
        assert "no-python" in result.reason


def test_the_command_line_examines_containers(docker_url):
    backend = ["--backend", "docker", "--image", IMAGE, "--url", docker_url]
    doctor = CliRunner().invoke(app, ["sandbox", "doctor", *backend])
    assert doctor.exit_code == 0, doctor.output
    assert "docker sandbox: tier 4" in doctor.output
    attack = CliRunner().invoke(app, ["sandbox", "attack", "--match", "mount", *backend])
    assert attack.exit_code == 0, attack.output
    assert "0 problems" in attack.output
