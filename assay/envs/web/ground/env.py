"""assay/GUIGround-v0: a picture of a screen and an instruction; the agent says where to click.

Screens are drawn from our own sites, with the true boxes of the browser, or come from files in ScreenSpot's format.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import ClassVar, Literal, get_args

import numpy as np

from assay.core.errors import ConfigError
from assay.core.message import Observation
from assay.core.seeding import Split
from assay.core.task import Task, TaskSet
from assay.envs.base import SingleTurnEnv
from assay.envs.web.ground.rows import Form, load_screens
from assay.envs.web.ground.screens import AnswerForm, RenderedScreens, centre
from assay.verifiers.base import Verifier
from assay.verifiers.gui.action import GuiActionVerifier
from assay.verifiers.gui.grounding import GaussianBoxVerifier, PointInBoxVerifier
from assay.verifiers.rubric import Rubric
from assay.verifiers.text.format import FormatVerifier

ENV_ID = "assay/GUIGround-v0"
Reward = Literal["point", "ui-r1", "gui-g2"]
_FORMS: dict[str, str] = {
    "point": "Answer with the point to click, as (x, y).",
    "ui-r1": (
        'Answer with <think>...</think><answer>{"action": "click", "point": [x, y]}</answer>; the actions are click, '
        "scroll, open_app, navigate_back and input_text."
    ),
    "gui-g2": "Answer with the box of what is meant, in whole pixels, and nothing else: [x1, y1, x2, y2]",
}
_BOX = r"\[\d{1,5}, ?\d{1,5}, ?\d{1,5}, ?\d{1,5}\]"


class GuiGroundEnv(SingleTurnEnv):
    """One picture, one answer.

    Options: `reward` (`point`: 1 inside the box; `ui-r1`: action + place + format, 0 to 3, arXiv 2503.21620; `gui-g2`:
    Gaussian point + coverage + format, 0 to 3, arXiv 2507.15846), `width` and `height` of drawn screens, `data` (a file
    in ScreenSpot's format) with `images` (folder of its pictures) and `boxes` (`xywh`, `xyxy`, `shares`, or `auto`),
    `split`. Format pays a little in the two papers' rewards, also for a miss; `correct` is the place alone.

    Demonstrations: `careful` answers the middle of the target, or its box; `blind` any place on the screen.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("careful", "blind")

    def __init__(
        self,
        *,
        reward: Reward = "point",
        width: int = 800,
        height: int = 600,
        data: str | Path | None = None,
        images: str | Path | None = None,
        boxes: Form = "auto",
        split: Split | Literal["all"] = "train",
        render_mode: str | None = None,
    ) -> None:
        if reward not in _FORMS:
            raise ConfigError(f"reward must be one of {', '.join(get_args(Reward))}, not {reward!r}")
        self.reward, form = reward, AnswerForm(_FORMS[reward], action="click" if reward == "ui-r1" else None)
        self._screens: RenderedScreens | None = None
        tasks: TaskSet
        if data is not None:
            tasks = load_screens(data, images, split, form, boxes=boxes)
        elif images is not None or split == "all":
            raise ConfigError("'images' and split 'all' are for screens from a file (option 'data')")
        else:
            tasks = self._screens = RenderedScreens(ENV_ID, split, width, height, form)
        super().__init__(tasks, _verifier(reward), render_mode=render_mode)

    def begin(self, task: Task) -> Observation:
        """Return the question; a copy, since a task is kept and asked again."""
        return deepcopy(task.messages())

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Answer in one of the styles."""
        if style not in self.demonstration_styles:
            return super().demonstrate(task, style, rng)
        box = task.target["box"] if self.reward == "ui-r1" else task.target
        if style == "blind":
            width, height = task.metadata["size"]
            x, y = float(rng.uniform(0, width)), float(rng.uniform(0, height))
            box = [x, y, min(x + 40, width), min(y + 20, height)]
        x, y = centre(box)
        if self.reward == "gui-g2":
            return [str([round(side) for side in box])]
        if self.reward == "ui-r1":
            action = json.dumps({"action": "click", "point": [round(x, 1), round(y, 1)]})
            return [f"<think>It is there.</think><answer>{action}</answer>"]
        return [f"({x:.1f}, {y:.1f})"]

    def close(self) -> None:
        """Give the browser up."""
        if self._screens is not None:
            self._screens.close()
        super().close()


def _verifier(reward: Reward) -> Verifier:
    if reward == "ui-r1":
        parts = {"action": GuiActionVerifier(), "format": FormatVerifier(tags=("think", "answer"))}
        return Rubric(parts, outcome="action", always=("format",))
    if reward == "gui-g2":
        parts_of_box = {"box": GaussianBoxVerifier(), "format": FormatVerifier(pattern=_BOX)}
        return Rubric(parts_of_box, outcome="box", always=("format",))
    return PointInBoxVerifier()
