"""Grounding tasks rendered from our own sites: a picture, an instruction, and the true box of what it means.

The box comes from the browser that drew the picture. Which page and which element is decided before anything is drawn,
so train and eval screens are disjoint by content, and a task is the same whenever it is asked for.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from assay.core.errors import Fault
from assay.core.message import Message, system
from assay.core.seeding import Split
from assay.core.task import Problem, ProceduralTaskSet, Task
from assay.envs.database import Database
from assay.envs.procedural import task_source
from assay.envs.web.base import png_url
from assay.envs.web.drivers.base import describe
from assay.envs.web.drivers.browser import BrowserDriver
from assay.envs.web.page.tree import Node, Page
from assay.envs.web.sites import SITES
from assay.envs.web.sites.app import episode_app
from assay.envs.web.sites.theme import Theme
from assay.envs.web.sites.words import pick
from assay.verifiers.gui.geometry import Box

_CACHED = 256
_SMALLEST = 6.0
"""Pixels that a target has at least, each way."""
_VERBS = {"textbox": "Write into", "checkbox": "Tick", "radio": "Choose", "combobox": "Open"}


@dataclass(frozen=True)
class ScreenGenerator:
    """A page of a random site, and a number that says which element is meant."""

    width: int
    height: int

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return what will be drawn."""
        site = SITES[pick(rng, sorted(SITES))]()
        screen = {
            "site": site.name,
            "rows": site.world(rng, 2),
            "theme": asdict(Theme.draw(rng)),
            "clicks": int(rng.integers(3)),
        }
        return {"prompt": "", "key": json.dumps(screen), "tags": (site.name,), "metadata": screen}


@dataclass(frozen=True)
class AnswerForm:
    """How an answer is written, and so what the target of a task is."""

    words: str
    """What the agent is told."""
    action: str | None = None
    """The action that the target names beside the box; None: the target is the box."""

    def question(self, picture: str, instruction: str, size: tuple[int, int]) -> tuple[Message, ...]:
        """Return the messages of a task: the form of the answer, the picture, and what is meant."""
        return (
            system(f"The screen has {size[0]} x {size[1]} pixels; (0, 0) is its upper left corner. {self.words}"),
            {"role": "user", "content": [{"type": "image", "image": picture}, {"type": "text", "text": instruction}]},
        )

    def target(self, box: Box) -> Any:
        """Return the target of a task, in whole pixels."""
        sides = [round(side) for side in box]
        return sides if self.action is None else {"action": self.action, "box": sides}


def facts(instruction: str, box: Box, size: tuple[int, int]) -> dict[str, Any]:
    """Return the metadata of a task; `area` is the share of the screen that counts as a hit: the level of chance."""
    area = (box[2] - box[0]) * (box[3] - box[1]) / (size[0] * size[1])
    return {"instruction": instruction, "size": list(size), "area": area}


class RenderedScreens(ProceduralTaskSet):
    """An infinite set of screens. Drawing one needs a browser; the last ones are kept."""

    def __init__(self, env_id: str, split: Split, width: int, height: int, form: AnswerForm) -> None:
        generator = ScreenGenerator(width, height)
        named = task_source(env_id, split, generator, ScreenGenerator(800, 600))
        super().__init__(named.name, split, generator)
        self._driver = BrowserDriver(width=width, height=height)
        self._form = form
        self._drawn = lru_cache(maxsize=_CACHED)(self._draw)

    def __getitem__(self, index: int) -> Task:
        """Return a task; `Fault` when the browser fails."""
        return self._drawn(index)

    def close(self) -> None:
        """Give the browser up. Idempotent."""
        self._driver.close()

    def _draw(self, index: int) -> Task:
        plain = super().__getitem__(index)
        screen, rng = plain.metadata, np.random.Generator(np.random.PCG64(plain.seed))
        site = SITES[screen["site"]]()
        database = Database(site.schema, screen["rows"])
        try:
            self._driver.open(episode_app([(site, Theme(**screen["theme"]))], database))
            page = self._wander(screen["clicks"], rng)
            chosen, instruction = _choose(page, rng, self._driver.width, self._driver.height)
            picture = png_url(self._driver.screenshot())
        finally:
            database.close()
        box = chosen.element.box
        assert box is not None
        size = (self._driver.width, self._driver.height)
        return replace(
            plain,
            prompt=self._form.question(picture, instruction, size),
            target=self._form.target(box),
            tags=(site.name, chosen.role),
            metadata=facts(instruction, box, size),
        )

    def _wander(self, clicks: int, rng: np.random.Generator) -> Page:
        for _ in range(clicks):
            links = [node.id for node in self._driver.page().nodes if node.role == "link" and node.id]
            if links:
                self._driver.click(pick(rng, links))
        return self._driver.page()


def _choose(page: Page, rng: np.random.Generator, width: int, height: int) -> tuple[Node, str]:
    """Return an element that is wholly on the screen, and words that mean it and nothing else."""
    words = {node: _describe(node) for node in page.nodes if node.id is not None and node.name}
    once = Counter(words.values())
    shown = [node for node, said in words.items() if once[said] == 1 and _visible(node, width, height)]
    if not shown:
        raise Fault(f"nothing on {page.path} can be named")
    chosen = pick(rng, shown)
    verb = {"textbox": "Write into", "checkbox": "Tick", "radio": "Choose", "combobox": "Open"}.get(
        chosen.role, "Click"
    )
    return chosen, f"{verb} the {words[chosen]}."


def _describe(node: Node) -> str:
    beside = next((text for text in node.group.texts if text != node.name), "") if node.group else ""
    in_row = node.group is not None and node.group.role in ("row", "item", "article")
    return describe(node) + (f' beside "{beside}"' if beside and in_row else "")


def _visible(node: Node, width: int, height: int) -> bool:
    if node.element.box is None:
        return False
    x1, y1, x2, y2 = node.element.box
    return x1 >= 0 and y1 >= 0 and x2 <= width and y2 <= height and min(x2 - x1, y2 - y1) >= _SMALLEST


def centre(box: Any) -> tuple[float, float]:
    """Return the middle of a box."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
