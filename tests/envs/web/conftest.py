"""The browser, for the tests that need one."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Path of a browser; without one the test is skipped with a reason."""
    pytest.importorskip("playwright", reason="playwright is not installed (extra: web)")
    from assay.envs.web.drivers.chrome import find_browser

    path = find_browser()
    if path is None:
        pytest.skip("no Chromium on the PATH (Debian: chromium-headless-shell)")
    return path


@pytest.fixture(scope="package")
def browser(browser_path: str):
    """Keep one browser process alive over all tests of this directory."""
    from assay.envs.web.drivers import chrome

    yield chrome.join()
    chrome.part()
