"""Directories of a caller that was killed are removed by the next one; those in use are not."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.sandboxes import Job, LocalSandbox
from assay.sandboxes.local.source import remove_leftovers


def aged(path: Path) -> Path:
    os.utime(path, (time.time() - 3600,) * 2)
    return path


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory for temporary files that no other process looks into."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_only_what_nobody_uses_is_removed(root: Path) -> None:
    dead = aged(Path(tempfile.mkdtemp(prefix="assay-boxes-")))
    young = Path(tempfile.mkdtemp(prefix="assay-boxes-"))
    with LocalSandbox(1) as sandbox:
        assert sandbox.run(Job("print(1)")).stdout == b"1\n"
        assert not dead.exists()
        (used,) = set(root.glob("assay-boxes-*")) - {young}
        aged(used)
        remove_leftovers()
        assert used.exists() and young.exists()
        assert sandbox.run(Job("print(2)")).stdout == b"2\n"
    assert set(root.glob("assay-boxes-*")) == {young}
