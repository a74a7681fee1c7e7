"""assay/WebTask-v0: run errands on web sites: shop, mail, calendar, forum, staff table, forms.

`Move Ana's message about lunch to archive.` The agent searches, opens the message, chooses the folder and presses the
button, whatever this site calls it. Verified by what changed in the site's database and by the answer that was asked
for (`web.verifier`), never from the page.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from assay.core.errors import ConfigError
from assay.core.message import Observation
from assay.core.seeding import Split
from assay.core.task import Task
from assay.core.tool import ToolCall
from assay.envs.base import play
from assay.envs.database import Database
from assay.envs.procedural import task_source
from assay.envs.tools.console import Interface
from assay.envs.web.base import PageEnv
from assay.envs.web.drivers.asgi import App
from assay.envs.web.drivers.base import Driver
from assay.envs.web.drivers.text import TextDriver
from assay.envs.web.oracle import eager_visitor, finish, hasty_visitor, visitor
from assay.envs.web.page.text import Style
from assay.envs.web.sites import SITES
from assay.envs.web.sites.app import episode_app
from assay.envs.web.tasks import WebGenerator, sites_of, steps_of, without_ids
from assay.envs.web.verifier import WebTaskVerifier

ENV_ID = "assay/WebTask-v0"


class WebTaskEnv(PageEnv):
    """Errands on generated sites, each over a database of its own.

    Options: `sites` (some of `shop`, `mail`, `calendar`, `forum`, `admin`, `forms`; None: all), `level` (1 to 4, see
    `WebGenerator`), `infeasible` (share of tasks that cannot be done, which the agent must say with a tool of that
    name; 0: none, and no such tool), `driver` (`text`: in process, without a screen; `browser`: a real one), `observe`
    (`tree`, `compact` or `html`, see `page.text`), `screenshot` (a picture with every message, and tools that aim at
    points; needs the browser), `interface` (`tools`, or `console`: one tool that takes commands such as `click 3`),
    `max_turns`, `instructions`, `split`.

    Demonstrations: `careful` does what is asked; `eager` does it and then presses one button more; `hasty` presses any
    button or link and says it is done, `wander` does so after three; `resigned` says at once that it cannot be done.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("careful", "eager", "hasty", "wander", "resigned")

    def __init__(
        self,
        *,
        sites: Sequence[str] | None = None,
        level: int = 2,
        infeasible: float = 0.0,
        driver: Literal["text", "browser"] = "text",
        observe: Style = "tree",
        screenshot: bool = False,
        interface: Interface = "tools",
        max_turns: int = 32,
        instructions: bool = False,
        split: Split = "train",
        render_mode: str | None = None,
    ) -> None:
        names = tuple(SITES) if sites is None else tuple(sites)
        self._database: Database | None = None
        self._gave_up, self._some_infeasible = False, infeasible > 0
        super().__init__(
            task_source(
                ENV_ID,
                split,
                WebGenerator(names, level, infeasible=infeasible, instructions=instructions),
                WebGenerator(),
            ),
            WebTaskVerifier(),
            _make_driver(driver),
            observe=observe,
            screenshot=screenshot,
            interface=interface,
            max_turns=max_turns,
            render_mode=render_mode,
        )

    @property
    def database(self) -> Database:
        """The database of the episode."""
        assert self._database is not None, "no episode was begun"
        return self._database

    def site(self, task: Task) -> App:
        """Set up the database and return the site over it."""
        self._drop()
        self._gave_up = False
        sites = sites_of(task.metadata)
        self._database = Database("".join(site.schema for site, _ in sites), task.metadata["rows"])
        return episode_app(sites, self._database)

    def state(self) -> dict[str, Any]:
        """Return what changed in the database, and whether the agent said that the task cannot be done."""
        return {"changes": without_ids(self.database.changes()), "infeasible": self._gave_up}

    def endings(self) -> Sequence[Any]:
        """Return the tools that end an episode; `infeasible` where some tasks are."""
        return (*super().endings(), self.infeasible) if self._some_infeasible else super().endings()

    def infeasible(self) -> str:
        """Say that what was asked cannot be done, which ends the episode."""
        self._gave_up = self._finished = True
        return "noted"

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Play an episode in one of the styles."""
        if style not in self.demonstration_styles:
            return super().demonstrate(task, style, rng)
        return play(self, task, self._player(task, style, rng))

    def _player(self, task: Task, style: str, rng: np.random.Generator) -> Generator[str, Observation, None]:
        see = self.driver.page
        calls: Iterable[ToolCall]
        if style in ("careful", "eager"):
            more = [theme.say("next") for _, theme in sites_of(task.metadata)]
            calls = visitor(steps_of(task.metadata), see, more, finish(task.target))
            if style == "eager":
                calls = eager_visitor(calls, see, rng)
        elif style == "resigned":
            calls = (ToolCall(name) for name in ("infeasible", "done"))
        else:
            calls = hasty_visitor(see, rng, 1 if style == "hasty" else 3)
        for call in calls:
            yield self.written(call)

    def close(self) -> None:
        """Leave the site and drop its database."""
        super().close()
        self._drop()

    def _drop(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None


def _make_driver(name: str) -> Driver:
    if name == "text":
        return TextDriver()
    if name == "browser":
        from assay.envs.web.drivers.browser import BrowserDriver  # only those who want a browser need one

        return BrowserDriver()
    raise ConfigError(f"driver must be 'text' or 'browser', not {name!r}")
