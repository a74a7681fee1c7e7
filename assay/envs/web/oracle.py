"""The scripted visitor: looks for what it needs on the page as it is shown, and uses it by its number.

It sees only the accessibility tree, so it works the same through either driver, on any theme.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from assay.core.message import Observation
from assay.core.tool import ToolCall
from assay.envs.web.page.tree import Node, Page
from assay.envs.web.sites.site import Step

ENDINGS = ("done", "answer", "infeasible")
"""Tools that end an episode."""
_ROLES = {"click": ("link", "button"), "type": ("textbox",), "tick": ("checkbox",)}


def visitor(
    steps: Sequence[Step], see: Callable[[], Page], more: Collection[str], end: ToolCall
) -> Generator[ToolCall, Observation, None]:
    """Yield the calls that take the steps, and at last the one that ends the episode.

    Args:
        steps: What to do.
        see: Returns the page that is shown.
        more: Names of the link to the next page of a list.
        end: The last call. When it says that the task cannot be done, it comes as soon as there is no going on.
    """
    for step in steps:
        while True:
            page = see()
            call = _call(step, page)
            if call is not None:
                yield call
                break
            following = next((n for n in page.nodes if n.role == "link" and n.name in more), None)
            if following is None and end.name == "infeasible":
                yield end
            if following is None:
                raise LookupError(f"{page.path} has no {step.action} {step.name!r} near {step.near!r}")
            yield ToolCall("click", {"element": following.id})
    yield end


def finish(target: Mapping[str, Any]) -> ToolCall:
    """Return the call that ends an episode as the target of its task says."""
    if target.get("infeasible"):
        return ToolCall("infeasible")
    return ToolCall("done") if target["answer"] is None else ToolCall("answer", {"text": target["answer"]})


def eager_visitor(
    calls: Iterable[ToolCall], see: Callable[[], Page], rng: np.random.Generator
) -> Generator[ToolCall, Observation, None]:
    """Yield the calls, with any button pressed before the last one."""
    for call in calls:
        if call.name in ENDINGS:
            buttons = [node.id for node in see().nodes if node.role == "button"]
            if buttons:
                yield ToolCall("click", {"element": buttons[int(rng.integers(len(buttons)))]})
        yield call


def hasty_visitor(
    see: Callable[[], Page], rng: np.random.Generator, clicks: int
) -> Generator[ToolCall, Observation, None]:
    """Yield clicks on any buttons and links, and `done`."""
    for _ in range(clicks):
        nodes = [node for node in see().nodes if node.role in ("button", "link")]
        if nodes:
            yield ToolCall("click", {"element": nodes[int(rng.integers(len(nodes)))].id})
    yield ToolCall("done")


def _call(step: Step, page: Page) -> ToolCall | None:
    if step.action == "goto":
        return ToolCall("goto", {"address": step.name})
    if step.action == "choose":
        return _choice(step, page)
    node = _find(page, step, *_ROLES[step.action])
    if node is None:
        return None
    arguments: dict[str, Any] = {"element": node.id}
    if step.action == "type":
        return ToolCall("type", {**arguments, "text": step.value})
    return ToolCall("click", arguments)


def _choice(step: Step, page: Page) -> ToolCall | None:
    menu = _find(page, step, "combobox")
    if menu is not None:
        return ToolCall("select", {"element": menu.id, "option": step.value}) if step.value in menu.options else None
    radios = (n for n in page.nodes if n.role == "radio" and n.name == step.value)
    button = next((node for node in radios if node.group is not None and node.group.legend == step.name), None)
    return None if button is None else ToolCall("click", {"element": button.id})


def _find(page: Page, step: Step, *roles: str) -> Node | None:
    for node in page.nodes:
        beside = node.group.texts if node.group is not None else []
        if node.role in roles and node.name == step.name and (not step.near or step.near in beside):
            return node
    return None
