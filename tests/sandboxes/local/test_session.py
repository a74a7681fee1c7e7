"""A session keeps its variables, survives errors and interrupts, and dies alone."""

import os

import pytest

from assay.sandboxes import Limits, LocalSandbox, Tier

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")


@pytest.fixture(scope="module")
def sandbox():
    with LocalSandbox(1, min_tier=Tier.FILTERED) as sandbox:
        yield sandbox


def test_cells_share_variables(sandbox):
    with sandbox.session() as session:
        first = session.execute("x = 20\nprint('hello')\nx + 1")
        assert (first.status, first.stdout, first.value) == ("ok", "hello\n", "21")
        assert session.execute("x * 2").value == "40"
        assert session.execute("None").value == ""


def test_errors_and_exit_keep_the_state(sandbox):
    with sandbox.session() as session:
        session.execute("x = 1")
        failed = session.execute("1 / 0")
        assert failed.status == "error"
        assert "ZeroDivisionError" in failed.stderr
        assert session.execute("exit()").status == "error"
        assert session.execute("def f(:").status == "error"
        assert session.execute("x").value == "1"


def test_a_slow_cell_is_interrupted(sandbox):
    with sandbox.session() as session:
        session.execute("x = 1")
        assert session.execute("while True: pass", seconds=0.3).status == "interrupted"
        assert session.execute("x").value == "1"


def test_a_cell_that_cannot_be_interrupted_ends_the_session(sandbox):
    with sandbox.session() as session:
        stubborn = (
            "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nimport time\nwhile True: time.sleep(60)"
        )
        assert session.execute(stubborn, seconds=0.3).status == "dead"
        assert session.execute("1").status == "dead"


def test_a_cell_that_leaves_or_lies_ends_the_session(sandbox):
    with sandbox.session() as session:
        assert session.execute("import os; os._exit(0)").status == "dead"
    with sandbox.session() as session:
        lie = "import os, struct\nb = b'{\"status\": 7}'\nos.write(5, struct.pack('=I', len(b)) + b)"
        assert session.execute(lie).status == "dead"


def test_output_is_capped(sandbox):
    with sandbox.session(Limits(output_bytes=1000)) as session:
        result = session.execute("print('x' * 5000)")
        assert result.truncated
        assert len(result.stdout) == 1000
