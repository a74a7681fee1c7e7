"""Hostile programs find no way; honest ones find nothing in theirs."""

import os

import pytest

from assay.sandboxes import Job, LocalSandbox, Tier
from assay.sandboxes.attacks import HONEST, run_attacks
from assay.sandboxes.attacks.escape import ESCAPES
from assay.sandboxes.attacks.exhaustion import EXHAUSTIONS
from assay.sandboxes.attacks.leaks import LEAKS
from assay.sandboxes.attacks.network import NETWORK
from assay.sandboxes.attacks.persistence import PERSISTENCE
from assay.sandboxes.base import SandboxFault
from tests.sandboxes.processes import children, slot_processes

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")
QUICK = (*ESCAPES, *NETWORK, *LEAKS, *PERSISTENCE)


@pytest.fixture(scope="module", params=[None, "user", "plain"])
def sandbox(request):
    if request.param == "user" and os.getuid():
        pytest.skip("the first way that is tried without being root")
    with LocalSandbox(1, strategies=request.param and [request.param], min_tier=Tier.NONE) as sandbox:
        try:
            tier = sandbox.capabilities().tier
        except SandboxFault as fault:
            pytest.skip(str(fault))
        if tier < (Tier.FILTERED if request.param == "plain" else Tier.NAMESPACES):
            pytest.skip(f"tier {tier} here")
        yield sandbox


def test_escapes_network_and_leaks_are_refused(sandbox):
    problems = [f"{o.attack.name}: {o.problem}" for o in run_attacks(sandbox, QUICK) if not o.withstood]
    assert not problems


@pytest.mark.slow
def test_exhaustion_is_contained_and_leaves_no_process(sandbox):
    problems = [f"{o.attack.name}: {o.problem}" for o in run_attacks(sandbox, EXHAUSTIONS) if not o.withstood]
    assert not problems
    assert [children(slot) for slot in slot_processes(sandbox)] == [[]]


def test_honest_programs_work(sandbox):
    narrow = {
        *("multiprocessing pool", "process pool executor", "multiprocessing manager", "dataclasses across processes"),
        *("/tmp", "shared memory", "unix socket", "getpass"),
    }
    full = sandbox.capabilities().tier >= Tier.NAMESPACES
    for name, source in HONEST.items():
        if not full and name in narrow:
            continue  # what a root directory of one's own is needed for
        result = sandbox.run(Job(source=source, stdin=b"ok\n"))
        assert result.ok, (name, result.status, result.stderr)
        assert result.text.splitlines()[0] == "ok", (name, result.text[:100])


def test_an_attack_that_succeeds_is_reported(sandbox):
    from assay.sandboxes.attacks.base import refused

    (outcome,) = run_attacks(sandbox, [refused("harmless", "pass")])
    assert "breached" in outcome.problem
