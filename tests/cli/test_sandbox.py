"""`assay sandbox` reports what is enforced and fails when something is not."""

import os

import pytest
from typer.testing import CliRunner

from assay.cli.app import app

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
