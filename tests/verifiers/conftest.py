"""Tests here bound the processor time of single calls."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _nothing_old_to_collect() -> Iterator[None]:
    """Keep what other tests left out of garbage collections: going through it once would take longer than the bounds."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
