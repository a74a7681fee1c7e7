"""PageEnv: the agent uses pages through a driver, by tools that name an element by its number.

Every message shows the page as text, and on request its document's text and a picture. The tools are the same for every
driver; one that has a screen adds those that aim at a point. `answer` and `done` end the episode, and so does a turn
without a call. An agent has no tool that runs a script or leaves the site.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from assay.core.errors import ConfigError
from assay.core.message import Message, Observation, Part, text_of, tool_result
from assay.core.task import Task, TaskSet
from assay.core.tool import Tool, ToolCall
from assay.envs.base import Progress
from assay.envs.tools.base import ToolEnv
from assay.envs.tools.console import Interface, as_command, check_interface, console
from assay.envs.web.drivers.asgi import App
from assay.envs.web.drivers.base import Direction, Driver, Key, ScreenDriver
from assay.envs.web.page.text import STYLES, Style, render
from assay.verifiers.base import Evidence, Verifier

Element = Annotated[int, Field(ge=0, le=10**6, description="Number of the element, as the page shows it.")]
Address = Annotated[str, Field(max_length=2000)]
Coordinate = Annotated[float, Field(ge=0, le=10**4)]


class PageEnv(ToolEnv):
    """An environment on pages.

    Args:
        tasks: The tasks.
        verifier: Judges `evidence`, which holds the answer in its state.
        driver: How pages are used.
        observe: `tree`, `compact` or `html`, see `page.text`.
        screenshot: Whether every message has a picture of the screen too, and the tools that aim at points of it.
        interface: `tools`, or `console`: one tool that takes commands such as `click 3`.
        max_turns: Turns in all.
        max_result: Characters of a page that are shown.
    """

    def __init__(
        self,
        tasks: TaskSet,
        verifier: Verifier,
        driver: Driver,
        *,
        observe: Style = "tree",
        screenshot: bool = False,
        interface: Interface = "tools",
        max_turns: int = 32,
        max_result: int = 20_000,
        render_mode: str | None = None,
    ) -> None:
        if observe not in STYLES:
            raise ConfigError(f"observe must be one of {', '.join(STYLES)}, not {observe!r}")
        self.screen = driver if isinstance(driver, ScreenDriver) else None
        if screenshot and self.screen is None:
            raise ConfigError("a screenshot needs driver='browser'")
        check_interface(interface)
        self.driver, self.observe, self.interface, self.screenshot = driver, observe, interface, screenshot
        self.answer_given: str | None = None
        self._finished = False
        self.blocking = driver.blocking
        self._page_tools = [Tool(function) for function in self._functions()]
        tools = [console(self._page_tools)] if interface == "console" else self._page_tools
        super().__init__(tasks, verifier, tools, max_turns=max_turns, max_result=max_result, render_mode=render_mode)

    def site(self, task: Task) -> App:
        """Return the site of an episode, set up anew."""
        raise NotImplementedError

    def begin(self, task: Task) -> Observation:
        """Open the site, and show its first page under the task."""
        self.answer_given, self._finished = None, False
        self.start(task)
        *before, last = task.messages()
        page: Message = {"role": last["role"], "content": f"{text_of(last)}\n{self.shown()}"}
        return (*before, self._pictured(page))

    def start(self, task: Task) -> None:
        """Open the page that the episode begins with."""
        self.driver.open(self.site(task))

    def shown(self) -> str:
        """Return the text of the page."""
        return render(self.driver.page(), self.observe)

    def advance(self, action: str) -> Progress:
        """Run the calls; the episode is over after `answer`, `done`, or a turn without a call."""
        progress = super().advance(action)
        return Progress(progress.messages, done=progress.done or self._finished)

    def call(self, call: ToolCall) -> Message:
        """Run one call, unless the episode has ended in this very turn."""
        if self._finished:
            return tool_result("", "error: the episode is over")
        return self._pictured(super().call(call))

    def evidence(self) -> Evidence:
        """Return the transcript, and the answer."""
        seen = super().evidence()
        return Evidence(seen.text, seen.messages, state={"answer": self.answer_given, **self.state()})

    def state(self) -> dict[str, Any]:
        """Return what the verifier may know of the end of the episode."""
        return {}

    def close(self) -> None:
        """Leave the site."""
        self.driver.close()
        super().close()

    def written(self, call: ToolCall) -> str:
        """Return the text of a call in this environment's interface."""
        return as_command(call).render() if self.interface == "console" else call.render()

    def _screen(self) -> ScreenDriver:
        assert self.screen is not None
        return self.screen

    def _pictured(self, message: Message) -> Message:
        """Return the message, with a picture of the screen if one is asked for and the episode goes on."""
        if not self.screenshot or self._finished:
            return message
        parts: list[Part] = [
            {"type": "text", "text": text_of(message)},
            {"type": "image", "image": png_url(self._screen().screenshot())},
        ]
        return {**message, "content": parts}

    # -- tools ------------------------------------------------------------------------------------------------

    def _functions(self) -> Sequence[Any]:
        pointing = (self.click_at, self.drag, self.write, self.press) if self.screenshot else ()
        return (self.click, self.type, self.select, self.scroll, *self.ways(), *pointing, *self.endings())

    def ways(self) -> Sequence[Any]:
        """Return the tools that lead to other pages."""
        return (self.goto, self.back)

    def endings(self) -> Sequence[Any]:
        """Return the tools that end an episode."""
        return (self.answer, self.done)

    def click(self, element: Element) -> str:
        """Click an element: follow a link, press a button, tick a box."""
        self.driver.click(element)
        return self.shown()

    def type(self, element: Element, text: str) -> str:
        """Replace the content of a textbox."""
        self.driver.type(element, text)
        return self.shown()

    def select(self, element: Element, option: str) -> str:
        """Choose an option of a combobox by its text."""
        self.driver.select(element, option)
        return self.shown()

    def scroll(self, direction: Direction) -> str:
        """Scroll the page up or down."""
        self.driver.scroll(direction)
        return self.shown()

    def goto(self, address: Address) -> str:
        """Open a page of this site.

        Args:
            address: Such as /cart.
        """
        self.driver.goto(address)
        return self.shown()

    def back(self) -> str:
        """Go back to the page before."""
        self.driver.back()
        return self.shown()

    def click_at(self, x: Coordinate, y: Coordinate) -> str:
        """Click a point of the screen, in pixels from the left and the top."""
        self._screen().click_at(x, y)
        return self.shown()

    def drag(self, x1: Coordinate, y1: Coordinate, x2: Coordinate, y2: Coordinate) -> str:
        """Drag the mouse from one point of the screen to another."""
        self._screen().drag(x1, y1, x2, y2)
        return self.shown()

    def write(self, text: str) -> str:
        """Type a text into what has the focus."""
        self._screen().write(text)
        return self.shown()

    def press(self, key: Key) -> str:
        """Press a key."""
        self._screen().press(key)
        return self.shown()

    def answer(self, text: str) -> str:
        """Answer the question, which ends the episode.

        Args:
            text: The bare answer.
        """
        self.answer_given, self._finished = text, True
        return "answered"

    def done(self) -> str:
        """Say that everything is done, which ends the episode."""
        self._finished = True
        return "done"


def png_url(picture: bytes) -> str:
    """Return a PNG as a data URL, as image parts of messages have it."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"
