"""What several parts of the tests share: one finished training run of `configs/smoke.yaml`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import assay

SMOKE = Path(__file__).parent.parent / "configs" / "smoke.yaml"


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a finished run, with its model in `model/`. Read it, do not change it."""
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    directory = tmp_path_factory.mktemp("smoke") / "run"
    assay("train", SMOKE, "--run-dir", directory).expect(0)
    return directory
