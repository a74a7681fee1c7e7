"""A profiler's trace of one training step, rollouts and update, for chrome://tracing or Perfetto."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import torch


@contextlib.contextmanager
def traced(path: Path | None) -> Iterator[None]:
    """Record everything inside the block into `path`, an existing or new folder's JSON file; None records nothing."""
    if path is None:
        yield
        return
    activities = [torch.profiler.ProfilerActivity.CPU]
    if torch.cuda.is_available():
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    with torch.profiler.profile(activities=activities) as profile:
        yield
    path.parent.mkdir(parents=True, exist_ok=True)
    profile.export_chrome_trace(str(path))
