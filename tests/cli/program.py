"""Run `assay` as the terminal does: in this process for speed, or in one of its own."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assay.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def expect(self, code: int) -> Ran:
        """Return self; fail with all that was printed when the exit code is another one."""
        assert self.code == code, f"exit code {self.code}, not {code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"
        return self

    def refused(self, *words: str) -> None:
        """Check that it ended as bad input does: code 2, one line on stderr, with these words in it."""
        self.expect(2)
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: "), lines[0]
        for word in words:
            assert word in lines[0], f"{word!r} is not in {lines[0]!r}"


class _Input(io.TextIOWrapper):
    """Standard input that is piped in."""

    def __init__(self, text: str) -> None:
        super().__init__(io.BytesIO(text.encode()), encoding="utf-8")


@contextlib.contextmanager
def _stdin(text: str) -> Iterator[None]:
    before, sys.stdin = sys.stdin, _Input(text)
    try:
        yield
    finally:
        sys.stdin = before


def assay(*words: Any, stdin: str = "") -> Ran:
    """Run the program in this process. An exception that gets out is a traceback to the user, and fails the test."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _stdin(stdin):
        try:
            main([str(word) for word in words])
        except SystemExit as end:
            code = end.code or 0
    return Ran(code, out.getvalue(), err.getvalue())


def environment(**more: str) -> dict[str, str]:
    """Return the variables for a process of its own: one thread, plain output, no hub."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1", **more}


def command(*words: Any) -> list[str]:
    """Return the command line of the program under this interpreter. `-P`: like the script, it adds no directory."""
    return [sys.executable, "-P", "-c", "from assay.cli import main; main()", *map(str, words)]


def spawn(*words: Any, **options: Any) -> subprocess.Popen[str]:
    """Start the program in a process of its own, with pipes for what it prints.

    Ctrl-C reaches it even where these tests run in the background of a shell, which ignores it.
    """
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        command(*words),
        env=environment(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **{**streams, **options},
    )
