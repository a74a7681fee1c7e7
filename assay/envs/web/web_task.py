"""assay/WebTask-v0: run errands on web sites: shop, mail, calendar, forum, staff table, forms.

`Move Ana's message about lunch to archive.` The agent searches, opens the message, chooses the folder and presses the
button, whatever this site calls it. Verified by what changed in the site's database and by the answer that was asked
for (`web.verifier`), never from the page.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from assay.core.errors import ConfigError
from assay.core.message import Observation
from assay.core.seeding import Split
from assay.core.task import Task
from assay.envs.base import play
from assay.envs.database import Database
from assay.envs.procedural import task_source
from assay.envs.web.base import Interface, PageEnv
from assay.envs.web.drivers.asgi import App
from assay.envs.web.drivers.base import Driver
from assay.envs.web.drivers.text import TextDriver
from assay.envs.web.oracle import eager_visitor, hasty_visitor, visitor
from assay.envs.web.page.text import Style
from assay.envs.web.sites import SITES
from assay.envs.web.sites.app import episode_app
from assay.envs.web.tasks import WebGenerator, steps_of, theme_of, without_ids
from assay.envs.web.verifier import WebTaskVerifier

ENV_ID = "assay/WebTask-v0"


class WebTaskEnv(PageEnv):
    """Errands on generated sites, each over a database of its own.

    Options: `sites` (some of `shop`, `mail`, `calendar`, `forum`, `admin`, `forms`; None: all), `level` (1 to 3, see
    `WebGenerator`), `driver` (`text`: in process, without a screen; `browser`: a real one), `observe` (`tree`,
    `compact` or `html`, see `page.text`), `screenshot` (a picture with every message, and tools that aim at points;
    needs the browser), `interface` (`tools`, or `console`: one tool that takes commands such as `click 3`),
    `max_turns`, `instructions`, `split`.

    Demonstrations: `careful` does what is asked; `eager` does it and then presses one button more; `hasty` presses any
    button or link and says it is done, `wander` does so after three.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("careful", "eager", "hasty", "wander")

    def __init__(
        self,
        *,
        sites: Sequence[str] | None = None,
        level: int = 2,
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
        super().__init__(
            task_source(ENV_ID, split, WebGenerator(names, level, instructions=instructions), WebGenerator()),
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
        site = SITES[task.metadata["site"]]()
        self._database = Database(site.schema, task.metadata["rows"])
        return episode_app(site, self._database, theme_of(task.metadata))

    def state(self) -> dict[str, Any]:
        """Return what changed in the database."""
        return {"changes": without_ids(self.database.changes())}

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Play an episode in one of the styles."""
        if style not in self.demonstration_styles:
            return super().demonstrate(task, style, rng)
        return play(self, task, self._player(task, style, rng))

    def _player(self, task: Task, style: str, rng: np.random.Generator) -> Generator[str, Observation, None]:
        see = self.driver.page
        if style in ("careful", "eager"):
            more = theme_of(task.metadata).say("next")
            calls = visitor(steps_of(task.metadata), see, more, task.target["answer"])
            if style == "eager":
                calls = eager_visitor(calls, see, rng)
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
