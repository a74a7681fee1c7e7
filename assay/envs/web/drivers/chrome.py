"""Chrome: the browser process that all browser drivers of this program share, and its pool of tabs.

Invariants: the process starts with the first episode and is gone when the last driver is closed. One that has died is
started anew for the next episode, and the directory of its profile is deleted. A tab that misbehaved is never used
again. The process has no network: names do not resolve and every connection goes to a proxy that is not there, whatever
a page tries.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from assay.core.errors import ConfigError, Fault
from assay.core.loop_thread import LoopThread

try:
    from playwright.async_api import Error as PlaywrightError
    from playwright.async_api import async_playwright
except ImportError:
    raise ConfigError("the browser driver needs playwright: pip install 'assay-rl[web]'") from None

from assay.envs.web.drivers.tab import Tab

if TYPE_CHECKING:
    from playwright.async_api import Browser, Playwright

T = TypeVar("T")
BROWSER_VARIABLE = "ASSAY_BROWSER"
"""Environment variable with the path of the browser."""
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-gpu",
    "--font-render-hinting=none",
    "--enable-automation",  # without it the browser does not tell its command line
)
TAB_LIFE = 100
"""Episodes after which a tab is replaced, since pages leave memory behind."""
_ATTEMPTS, _PAUSE = 600, 0.05
GRACE = 30.0
"""Seconds that what has ended may take to be cleaned up."""


def find_browser() -> str | None:
    """Return the path of a Chromium: the one named by `ASSAY_BROWSER`, one on the PATH, or None."""
    named = os.environ.get(BROWSER_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise ConfigError(f"{BROWSER_VARIABLE}={named}: there is no such file")
        return named
    return next((path for path in map(shutil.which, _NAMES) if path), None)


class Chrome:
    """A browser on an event loop of its own."""

    def __init__(self) -> None:
        self._loop = LoopThread("assay-browser")
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._profile: Path | None = None
        self._starting = asyncio.Lock()
        self._idle: dict[tuple[int, int], list[Tab]] = {}
        self._hosts = itertools.count()

    def run(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Run work on the browser's loop, from any thread. `Fault` when it takes longer, or the browser fails."""
        future = self._loop.submit(asyncio.wait_for(work, seconds))
        try:
            return future.result(seconds + GRACE)
        except (TimeoutError, FutureTimeoutError):
            future.cancel()
            raise Fault(f"the page did not answer within {seconds:g} s") from None
        except PlaywrightError as error:
            raise Fault(f"the browser failed: {(str(error).splitlines() or [''])[0][:200]}") from error

    def host(self) -> str:
        """Return a host name that no other episode of this process has."""
        return f"site{next(self._hosts)}.assay.test"

    async def tab(self, width: int, height: int) -> Tab:
        """Return a clean tab, from the pool or new."""
        browser = await self._connected()
        idle = self._idle.setdefault((width, height), [])
        return idle.pop() if idle else await Tab.create(browser, width, height)

    async def give_back(self, tab: Tab, size: tuple[int, int]) -> None:
        """Clean a tab and keep it for the next episode, or close it when it has seen many."""
        if tab.uses >= TAB_LIFE:
            await tab.close()
            return
        await tab.leave()
        self._idle.setdefault(size, []).append(tab)

    async def process(self) -> int:
        """Return the process id of the browser."""
        session = await (await self._connected()).new_browser_cdp_session()
        found = await session.send("SystemInfo.getProcessInfo")
        await session.detach()
        return next(int(entry["id"]) for entry in found["processInfo"] if entry["type"] == "browser")

    def close(self) -> None:
        """End the browser. Idempotent."""
        with contextlib.suppress(Fault):
            self.run(self._stop(), 3 * GRACE)
        self._loop.close()

    async def _connected(self) -> Browser:
        async with self._starting:
            if self._browser is None or not self._browser.is_connected():
                await self._stop()
                self._playwright = await async_playwright().start()
                self._browser = await self._playwright.chromium.launch(
                    executable_path=find_browser(), args=list(_ARGUMENTS), handle_sigint=False, timeout=0
                )
                self._profile = await _profile(self._browser)
            return self._browser

    async def _stop(self) -> None:
        browser, playwright, profile = self._browser, self._playwright, self._profile
        self._browser = self._playwright = self._profile = None
        self._idle.clear()
        if browser is not None:
            await _end(browser.close())
        for _ in range(_ATTEMPTS):  # Playwright deletes what is left of a browser that was killed, if it is given time
            if profile is None or not profile.exists():
                break
            await asyncio.sleep(_PAUSE)
        if playwright is not None:
            await _end(playwright.stop())
        if profile is not None:
            shutil.rmtree(profile, ignore_errors=True)


async def _end(ending: Coroutine[Any, Any, None]) -> None:
    with contextlib.suppress(PlaywrightError, TimeoutError):  # what is dead already need not end
        await asyncio.wait_for(ending, GRACE)


async def _profile(browser: Browser) -> Path | None:
    """Return the directory of a browser's profile, which is left behind when the browser is killed."""
    session = await browser.new_browser_cdp_session()
    command = (await session.send("Browser.getBrowserCommandLine"))["arguments"]
    await session.detach()
    flag = "--user-data-dir="
    return next((Path(argument.removeprefix(flag)) for argument in command if argument.startswith(flag)), None)


_lock = threading.Lock()
_shared: Chrome | None = None
_users = 0


def join() -> Chrome:
    """Return the shared browser; `part` with it when it is needed no more."""
    global _shared, _users
    with _lock:
        _shared = _shared or Chrome()
        _users += 1
        return _shared


def part() -> None:
    """Give the shared browser up; the last one closes it."""
    global _shared, _users
    with _lock:
        _users -= 1
        last, gone = _shared, _users == 0
        if gone:
            _shared = None
    if gone and last is not None:
        last.close()
