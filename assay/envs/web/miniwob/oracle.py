"""Scripted solutions of MiniWoB++ pages, from what the page shows: to check the environment, not to train on.

A solver is a generator of calls, given the task's words and a way to see the page. `SOLVERS` lists the pages known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction

from assay.core.tool import ToolCall
from assay.envs.web.page.tree import Node, Page

See = Callable[[], Page]
Solver = Callable[[str, See], Iterator[ToolCall]]
_NUMBER_WORD = re.compile(r"(\d+)(?:st|nd|rd|th)")


def _click(node: Node) -> ToolCall:
    return ToolCall("click", {"element": node.id})


def _type(node: Node, text: str) -> ToolCall:
    return ToolCall("type", {"element": node.id, "text": text})


def _named(see: See, name: str, *roles: str) -> Node:
    """Return the last element of this name: the first may be the task's own words."""
    found = [n for n in see().nodes if n.id and n.name.casefold() == name.casefold() and (not roles or n.role in roles)]
    if not found:
        raise LookupError(f"{see().path}: nothing is called {name!r}")
    return found[-1]


def _all(see: See, role: str) -> list[Node]:
    return [node for node in see().nodes if node.role == role]


def _submit(see: See, name: str = "submit") -> ToolCall:
    return _click(_named(see, name, "button"))


def _quoted(words: str) -> list[str]:
    return re.findall(r'"\s*([^"]+?)\s*"', words)


def _press_named(words: str, see: See) -> Iterator[ToolCall]:
    name = (_quoted(words) or re.findall(r"button (\w+)", words) or ["click me!"])[0]
    yield _click(_named(see, {"x": "Close"}.get(name, name)))


def _press_only(words: str, see: See) -> Iterator[ToolCall]:
    yield _click(_all(see, "button")[0])


def _press_in_turn(words: str, see: See) -> Iterator[ToolCall]:
    for name in re.findall(r"button (\w+)", words):
        yield _click(_named(see, name, "button"))


def _focus(words: str, see: See) -> Iterator[ToolCall]:
    found = _NUMBER_WORD.search(words)
    yield _click(_all(see, "textbox")[int(found[1]) - 1 if found else 0])


def _tick(words: str, see: See) -> Iterator[ToolCall]:
    wanted = words.removeprefix("Select ").rpartition(" and click")[0]
    for name in wanted.split(", ") if wanted != "nothing" else ():
        yield _click(_named(see, name, "checkbox", "radio"))
    yield _submit(see)


def _choose(words: str, see: See) -> Iterator[ToolCall]:
    option = words.removeprefix("Select ").partition(" from the ")[0]
    yield ToolCall("select", {"element": _all(see, "combobox")[0].id, "option": option})
    yield _submit(see)


def _enter(words: str, see: See) -> Iterator[ToolCall]:
    text = _quoted(words)[0]
    if "case letters" in words:
        text = text.upper() if "upper" in words else text.lower()
    for node in _all(see, "textbox"):
        yield _type(node, text)
    yield _submit(see)


def _log_in(words: str, see: See) -> Iterator[ToolCall]:
    for node, text in zip(_all(see, "textbox"), _quoted(words), strict=True):
        yield _type(node, text)
    yield _submit(see, "login")


def _tab(words: str, see: See) -> Iterator[ToolCall]:
    yield _click(_named(see, words.removeprefix("Click on ").removesuffix("."), "link"))


def _copy(words: str, see: See) -> Iterator[ToolCall]:
    boxes, found = _all(see, "textbox"), _NUMBER_WORD.search(words)
    sources = [node for node in boxes if node.element.tag == "textarea"]
    target = next(node for node in boxes if node.element.tag == "input")
    yield _type(target, sources[int(found[1]) - 1 if found else 0].value)
    yield _submit(see)


def _word(words: str, see: See) -> Iterator[ToolCall]:
    found = _NUMBER_WORD.search(words)
    assert found is not None
    text = _all(see, "element")[1].name.split()
    yield _type(_all(see, "textbox")[0], re.sub(r"[.,]", "", text[int(found[1]) - 1]))
    yield _submit(see)


def _read_table(words: str, see: See) -> Iterator[ToolCall]:
    rows = {node.group.texts[0]: node.group.texts[1] for node in see().nodes if node.group and node.group.texts}
    asked = re.findall(r"value of (.+?) into", words) or [
        node.name.removesuffix(":") for node in _all(see, "element") if node.name.endswith(":")
    ]
    for node, label in zip(_all(see, "textbox"), asked, strict=True):
        yield _type(node, rows[label])
    yield _submit(see)


def _calculate(words: str, see: See) -> Iterator[ToolCall]:
    """Solve `5 - 9 =`, or for x in `5 - x = 90`."""
    problem = _all(see, "element")[1].name
    left, sign, right, result = re.match(r"(\S+) (\S+) (\S+) =\s?(\S*)", problem).groups()  # type: ignore[union-attr]
    operations: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "x": lambda a, b: a * b,
        "/": lambda a, b: a / b,
    }
    apply = operations[sign]
    if not result:
        value = apply(Fraction(left), Fraction(right))
    else:  # linear in x, so two points give the line
        at = [apply(*(Fraction(x if part == "x" else part) for part in (left, right))) for x in (0, 1)]
        value = (Fraction(result) - at[0]) / (at[1] - at[0])
    yield _type(_all(see, "textbox")[0], str(value))
    yield _submit(see)


def _transform(words: str, see: See) -> Iterator[ToolCall]:
    yield _type(_all(see, "textbox")[0], "".join(_all(see, "element")[1].name.split()))
    yield _submit(see)


def _odd_or_even(words: str, see: See) -> Iterator[ToolCall]:
    numbers = [int(node.name) for node in _all(see, "element")[1:]]
    buttons = [(node.name, node) for node in _all(see, "button")]
    for index, number in enumerate(numbers):
        odd, even = buttons[2 * index][1], buttons[2 * index + 1][1]
        yield _click(odd if number % 2 else even)
    yield _submit(see)


def _guess(words: str, see: See) -> Iterator[ToolCall]:
    low, high = 0, 9
    while low <= high:
        middle = (low + high) // 2
        yield _type(_all(see, "textbox")[0], str(middle))
        yield _submit(see)
        said = _all(see, "element")[1].name
        low, high = (middle + 1, high) if "higher" in said else (low, middle - 1)


def _expand(words: str, see: See) -> Iterator[ToolCall]:
    yield _click(next(node for node in _all(see, "element") if node.name.startswith("Section")))
    yield _submit(see)


def _buy(words: str, see: See) -> Iterator[ToolCall]:
    """Choose a ticket by its price or its duration."""
    buttons = _all(see, "button")
    if "duration" in words or "flight time" in words or "trip" in words:
        times = [re.fullmatch(r"(?:(\d+)h)? ?(?:(\d+)m)?", node.name) for node in _all(see, "element")]
        values = [60 * int(t[1] or 0) + int(t[2] or 0) for t in times if t is not None and t[0]]
    else:
        values = [int(node.name.rpartition("$")[2]) for node in buttons]
    best = max if re.search("most expensive|longest|most costly|highest", words) else min
    yield _click(buttons[values.index(best(values))])


def _generate(words: str, see: See) -> Iterator[ToolCall]:
    def fits(shown: str) -> bool:
        if not shown.isdigit():
            return False
        number, limit = int(shown), re.search(r"(less|greater) than (\d+)", words)
        if limit:
            return number < int(limit[2]) if limit[1] == "less" else number > int(limit[2])
        return number % 2 == ("odd" in words)

    while not fits(_all(see, "element")[1].name):
        yield _click(_named(see, "generate", "button"))
    yield _submit(see)


SOLVERS: dict[str, Solver] = {
    "buy-ticket": _buy,
    "choose-list": _choose,
    "click-button": _press_named,
    "click-button-sequence": _press_in_turn,
    "click-checkboxes": _tick,
    "click-checkboxes-large": _tick,
    "click-checkboxes-transfer": _tick,
    "click-collapsible": _expand,
    "click-collapsible-nodelay": _expand,
    "click-dialog": _press_named,
    "click-dialog-2": _press_named,
    "click-link": _press_named,
    "click-option": _tick,
    "click-tab": _tab,
    "click-test": _press_only,
    "click-test-2": _press_named,
    "click-test-transfer": _press_named,
    "copy-paste": _copy,
    "copy-paste-2": _copy,
    "enter-password": _enter,
    "enter-text": _enter,
    "enter-text-2": _enter,
    "enter-text-dynamic": _enter,
    "find-word": _word,
    "focus-text": _focus,
    "focus-text-2": _focus,
    "generate-number": _generate,
    "guess-number": _guess,
    "login-user": _log_in,
    "odd-or-even": _odd_or_even,
    "read-table": _read_table,
    "read-table-2": _read_table,
    "simple-algebra": _calculate,
    "simple-arithmetic": _calculate,
    "text-transform": _transform,
    "unicode-test": _press_named,
}
"""Solvers by page."""
