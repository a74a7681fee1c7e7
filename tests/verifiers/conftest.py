"""Tests here bound the processor time of single calls."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _nothing_old_to_collect() -> Iterator[None]:
    """Keep what other tests left out of collections of garbage, one of which would take longer than the bounds."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
