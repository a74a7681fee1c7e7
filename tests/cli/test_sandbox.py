"""`assay sandbox` reports what is enforced and fails when something is not."""

import os
import signal

import httpx
import pytest
from typer.testing import CliRunner

from assay.cli.app import app
from tests.cli.program import spawn

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")


def run(*words):
    return CliRunner().invoke(app, ["sandbox", *words])


def test_doctor_names_the_mechanisms():
    result = run("doctor")
    assert result.exit_code in (0, 1)
    for word in ("tier", "seccomp", "landlock", "namespaces", "cgroups"):
        assert word in result.output


def test_bench_compares_with_a_bare_process():
    result = run("bench", "--rounds", "5")
    assert result.exit_code == 0, result.output
    assert "bare subprocess" in result.output
    assert "p10 / bare" in result.output


def test_attack_runs_a_part_of_the_catalogue():
    result = run("attack", "--match", "mount", "--min-tier", "2")
    assert result.exit_code == 0, result.output
    assert "0 problems" in result.output


def test_attack_refuses_a_name_that_nothing_has():
    result = run("attack", "--match", "no such attack")
    assert "no attack has" in str(result.exception)


def test_commands_take_a_remote_sandbox_and_say_what_is_missing(monkeypatch):
    from assay.sandboxes import LocalSandbox, Tier
    from assay.sandboxes.remote import SandboxServer

    monkeypatch.delenv("ASSAY_SANDBOX_TOKEN", raising=False)
    assert "needs --url" in str(run("doctor", "--backend", "remote").exception)
    with LocalSandbox(1, min_tier=Tier.FILTERED) as sandbox, SandboxServer(sandbox) as server:
        result = run("doctor", "--backend", "remote", "--url", server.url)
        assert "remote sandbox: tier" in result.output
        result = run("attack", "--match", "mount", "--min-tier", "2", "--backend", "remote", "--url", server.url)
        assert result.exit_code == 0, result.output
    result = run("serve", "--host", "0.0.0.0", "--port", "0", "--min-tier", "2")
    assert "set a token" in str(result.exception)


def test_serve_answers_until_interrupted(monkeypatch):
    monkeypatch.delenv("ASSAY_SANDBOX_TOKEN", raising=False)
    words = ("sandbox", "serve", "--port", "0", "--min-tier", "2", "--slots", "1")
    with spawn(*words, stderr=None) as process:
        try:
            url = process.stdout.readline().split()[-1]
            answer = httpx.post(url, json={"code": "print(6 * 7)"}, timeout=60).json()
        finally:
            process.send_signal(signal.SIGINT)
    assert answer["run_result"]["stdout"] == "42\n"
    assert process.returncode in (0, 130)
