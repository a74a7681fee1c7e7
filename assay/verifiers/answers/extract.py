r"""Find the final answer in a response, in linear time.

Only the part after the reasoning counts (`</think>`), and of that only its last `TAIL` characters. Markers, strongest
first: `\boxed{}` (and `<answer>` tags, `####`), phrases such as "the final answer is", then nothing at all: a short
response is itself the answer, a longer one gives its last formula.

Invariant: no step re-reads text that it has passed; every window that a regular expression sees is bounded.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Literal, NamedTuple

from assay.verifiers.answers.normalise import MAX_ANSWER

TAIL = 20_000
"""Characters at the end of a response that are searched."""
_PAUSE = "\n...\n"
"""Stands for reasoning between two parts of a response: what is on either side are no parts of one list."""
MAX_BOXES = 32
"""Boxes looked at, from the last backwards."""
BARE = 600
"""A response up to this many characters without a marker may be the answer itself."""

Kind = Literal["boxed", "tagged", "phrase", "bare", "formula", "none"]


class Extraction(NamedTuple):
    """The candidate, what marked it, and the other final answers that the response also gives."""

    answer: str | None
    kind: Kind
    others: tuple[str, ...] = ()
    """Earlier final answers spelled otherwise; if they also *mean* something else the response is ambiguous."""
    fallback: str | None = None
    """For `bare`: the last formula, to be tried when the whole cannot be read as an answer."""
    reason: str = ""


_BLANK = " \n"
"""Blanks around an answer. A tab or form feed may be what is left of a LaTeX command, see `normalise`."""
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_UNBRACED = re.compile(r"[-+]?\d{1,40}(?:[.,]\d{1,40})*|\\[dt]?frac(?:\d|\{[^{}]{1,80}\}){2}")
"""What is meant to stand in a box without braces, of which TeX would take the first digit alone."""
_TITLE = re.compile(r"[\W_]*(?:\d{1,2}[.):]\s*\**)?[A-Za-z]{2,}(?!\w*\s*=)")
_ANSWER_TITLE = re.compile(r"\W*(?:(?:the|my) )?(?:final )?answer\W*", re.IGNORECASE)
_DELIMITERS = re.compile(r"\\[()\[\],;:! ]|\\q?quad|\\text|\$|[{}*&~]|\\\\")
_GAP = re.compile(r"[,;&]|\band\b|\bor\b")
_TURN = re.compile(r"\b(?:not?|but|wait|thus|so|actually|hmm|instead|rather|however|then|is|are|therefore)\b|[.?!\n]")
_PHRASE = re.compile(
    r"(?:final\s+answer|answer|solution)\b[\s*:]*(?:is\b|are\b|=|:|\bmust be\b|\bis:)[\s*:]*", re.IGNORECASE
)
_LEADS_ON = re.compile(r"(?:so|hence|thus|therefore|and|then|[\s,.:*])*(?:the|my|our)?[\s*]*", re.IGNORECASE)
"""What stands between two phrases that mark the same answer: "Final answer: the answer is 5"."""
_LEAD = re.compile(r"^(?:therefore|thus|hence|so|finally|we (?:get|have|find|obtain))\b[\s,:]*(?:that\s+)?", re.I)
_TRAIL = re.compile(
    r"\s+(?:is|are)\s+(?:the|our|my)\s+(?:final\s+|correct\s+|only\s+)?(?:answer|solution|result)s?[.!\s]*$", re.I
)
_OPERATED = re.compile(
    r"\b(?:minus|negative|plus|times|than|near|between"
    r"|(?:half|third|quarter|root|square|cube|multiple|factor|divisor|power|percent|%)\s+of)[\s$(){}]+$",
    re.I,
)
"""Words before a number that make another number of it, or none."""
_STOP = re.compile(r"\.(?:\s|$)|\n|\bI hope\b|<\||</")
_GUESS = re.compile(
    r"\b(?:at least|at most|(?:less|more|greater|fewer|other) than|between|maybe|perhaps|probably|might|guess|unsure"
    r"|either|possibly|no idea|don't know)\b|\bone of (?:the following|[\d$\\({])",
    re.I,
)
_TAKEN_BACK = re.compile(
    r"\b(?:could|may|might)\s+(?:also|instead|well)\s+be\b|\bor\s+(?:perhaps|maybe|possibly)\b"
    r"|\bnot\s+(?:\w+\s+)?(?:sure|certain)\b|\b(?:unsure|uncertain)\b|\bjust\s+(?:a|my)\s+guess\b",
    re.I,
)
"""What takes an answer back, or adds another to it, after it was given."""
_SPLIT_INLINE = re.compile(r"(?<!\$)\$ *\n[^$]*\n *\$(?!\$)|\\\( *\n[^$]{0,600}?\n *\\\)")
"""An inline formula over several lines, which Markdown does not set as one: its dollar signs are no delimiters."""
_HIDDEN = re.compile(
    r"<(\w{1,12})\b[^<>]{0,200}(?:display\s?:\s?none|\bhidden\b)[^<>]{0,200}>.{0,2000}?</\1>|<!--.{0,2000}?-->",
    re.DOTALL | re.IGNORECASE,
)
"""What a page would not show to its reader."""
_SHORTEST_HEDGE = 6
_DENIAL = re.compile(r"\b(?:not|isn't|cannot|can't|never)\b", re.I)
_FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$((?:[^$\\]|\\.)+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_NUMBER = re.compile(
    r"(?<![\w.,])[-+]?\$?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:/\d+)?(?:\s?\\?%)?(?!\w|[.,]\d)"
    r"|(?<![\w.,])\d{1,20}(?:,\d{3}){0,9}(?:\.\d{1,20})?(?=(?:cm|mm|km|m|kg|g)[²³]?\b)"
)


def brace_end(text: str, start: int) -> int:
    """Return the index after the brace that closes the one at `start`, or -1."""
    close = text.find("}", start)
    if close < 0:
        return -1
    body = text[start + 1 : close]
    if "{" not in body and "\\}" not in text[start : close + 1]:
        return close + 1
    depth = 0
    for match in _BRACES.finditer(text, start):
        token = match.group()
        if token == "{":
            depth += 1
        elif token == "}":
            depth -= 1
            if depth == 0:
                return match.end()
    return -1


class _Box(NamedTuple):
    start: int
    end: int
    content: str


def _after_thinking(text: str) -> str | None:
    """Return what is said outside of reasoning, whose first opening tag may be missing; None when it does not end."""
    if "</think>" not in text:
        return None if "<think>" in text else text
    parts = text.split("</think>")[1:]
    if "<think>" in parts[-1]:
        return None
    return _PAUSE.join(part.partition("<think>")[0] for part in parts)


def _boxes(text: str) -> list[_Box]:
    """Return the last boxes in order, without those that do not close and those inside another."""
    found: list[_Box] = []
    at = text.rfind("\\boxed")
    for _ in range(MAX_BOXES):
        if at < 0:
            break
        start = at + 6
        while text[start : start + 1] == " ":
            start += 1
        if text[start : start + 1] != "{":
            bare = _UNBRACED.match(text, start)
            end = bare.end() if bare else start + 1
            found.append(_Box(at, end, text[start:end]))
        elif (end := brace_end(text, start)) > 0:
            while found and found[-1].start < end:
                found.pop()
            found.append(_Box(at, end, text[start + 1 : end - 1].strip(_BLANK)))
        at = text.rfind("\\boxed", 0, at)
    return found[::-1]


def _joined(gap: str) -> bool:
    """Whether the text between two boxes makes them parts of one answer."""
    if len(gap) > 80:
        return False
    plain = _DELIMITERS.sub(" ", gap).strip()
    if not plain:
        return True
    if _TURN.search(plain):
        return False
    return len(_GAP.findall(plain)) == 1 and len(plain.split()) <= 6


def _from_boxes(boxes: list[_Box], text: str) -> Extraction:
    boxes = [box for box in boxes if box.content]
    if not boxes:
        return Extraction(None, "none", reason="the box is empty")
    first = len(boxes) - 1
    while first > 0 and _joined(text[boxes[first - 1].end : boxes[first].start]):
        first -= 1
    parts = [box.content for box in boxes[first:]]
    unique = list(dict.fromkeys(parts))
    answer = parts[0] if len(unique) == 1 else ", ".join(parts)
    others = [box.content for box in boxes[:first] if box.content not in parts]
    tail = text[boxes[-1].end :]
    if "nswer" in tail and (late := _phrases(tail)) and late[-1] != answer:
        others.append(late[-1])
    return Extraction(answer, "boxed", tuple(dict.fromkeys(others)))


def _from_tags(text: str) -> Extraction | None:
    marks: list[str] = []
    at = text.rfind("<answer>")
    if at >= 0 and text.find("</answer>", at) >= 0:
        while at >= 0 and len(marks) < MAX_BOXES:
            close = text.find("</answer>", at)
            marks.append(text[at + 8 : close].strip())
            at = text.rfind("<answer>", 0, at)
    else:
        marks = _from_hashes(text)
    if not marks or not marks[0]:
        return None
    return Extraction(marks[0], "tagged", tuple(dict.fromkeys(m for m in marks[:0:-1] if m and m != marks[0])))


def _from_hashes(text: str) -> list[str]:
    """Return what stands behind `####`, last first; a title of what follows is no answer, but may announce it."""
    marks: list[str] = []
    at = text.rfind("####")
    for _ in range(4 * MAX_BOXES):
        if at < 0:
            break
        line, _, rest = text[at + 4 : at + 4 + MAX_ANSWER].partition("\n")
        line, rest = line.strip(), rest.strip()
        if rest and _ANSWER_TITLE.fullmatch(line):
            line, _, rest = rest.partition("\n")
            marks.append(line.strip())
        elif line and not (rest and _TITLE.match(line)):
            marks.append(line)
        at = text.rfind("####", 0, at)
    return marks


def _phrases(text: str) -> list[str]:
    """Return what follows each "answer is" or "answer:", up to the end of its sentence or the next such phrase."""
    matches = list(_PHRASE.finditer(text))[-MAX_BOXES:]
    found: list[str] = []
    for match, following in zip_longest(matches, matches[1:]):
        end = match.end() + 600 if following is None else min(match.end() + 600, following.start())
        window = text[match.end() : end]
        formula = _FORMULA.match(window)
        stops = _STOP.search(window, formula.end() if formula else 0), _TAKEN_BACK.search(window)
        content = window[: min((stop.start() for stop in stops if stop), default=len(window))].strip(" *")
        if match.start() and content.startswith("}"):  # "\\text{The answer is } 5"
            content = content[1:].lstrip()
        if content and not (following is not None and _LEADS_ON.fullmatch(content)):
            found.append(content)
    return found


def _from_phrases(text: str) -> Extraction | None:
    found = _phrases(text)
    if not found:
        return None
    last = found[-1]
    others = tuple(dict.fromkeys(o for o in found[:-1] if o != last))
    return Extraction(last, "phrase", others, _last_formula(last))


def _last_formula(text: str) -> str | None:
    """Return the last run of formulas, or the last number of the last sentence that holds one."""
    window = text[-2000:]
    last = None
    for match in _FORMULA.finditer(window):
        last = match
    rest = window if last is None else window[last.end() :]
    for line in reversed(rest.splitlines()):
        numbers = [m for m in _NUMBER.finditer(line) if any(c.isdigit() for c in m.group())]
        if numbers:
            return None if _hedged(line, numbers) else numbers[-1].group().strip()
    return None if last is None else next(group for group in last.groups() if group is not None).strip()


def _hedged(line: str, numbers: list[re.Match[str]]) -> bool:
    """Whether the last number of a line is guessed at or denied. "Not 10 but 12" denies only the first."""
    if _GUESS.search(line) or _OPERATED.search(line, max(0, numbers[-1].start() - 40), numbers[-1].start()):
        return True
    before = numbers[-2].end() if len(numbers) > 1 else 0
    return _DENIAL.search(line, before) is not None


def extract(response: str, *, unmarked: bool = True, gold: bool = False) -> Extraction:
    """Return the final answer of a response.

    With `gold=True` the text is a reference: it may be a whole solution or the bare answer, and an unclosed box is
    read to its end.
    """
    found = _extract(response, unmarked, gold)
    if gold or found.answer is None:
        return found
    if found.kind == "bare":
        taken_back = _TAKEN_BACK.search(found.answer) is not None
    else:
        after = max(response.rfind(found.answer), response.rfind("\\boxed"), len(response) - TAIL)
        rest = len(response) - after > len(found.answer) + _SHORTEST_HEDGE
        taken_back = rest and _TAKEN_BACK.search(response, max(after, 0)) is not None
    if taken_back:
        return Extraction(None, "none", reason="the answer is taken back")
    return found


def _extract(response: str, unmarked: bool, gold: bool) -> Extraction:
    text = response[-TAIL:] if len(response) > TAIL else response
    if "think>" in text:
        spoken = _after_thinking(text)
        if spoken is None:
            return Extraction(None, "none", reason="the reasoning does not end")
        text = spoken
    if "<" in text and ("none" in text or "hidden" in text or "<!--" in text):
        text = _HIDDEN.sub(" ", text)
    at = text.rfind("\\boxed{")
    if at >= 0 and text.find("\\boxed") == at:
        end = brace_end(text, at + 6)
        if end > 0 and text.find("nswer", end) < 0 and (content := text[at + 7 : end - 1].strip(_BLANK)):
            return Extraction(content, "boxed")  # the common case, without the detours below
    if "\\boxed" in text:
        boxes = _boxes(text)
        if boxes:
            return _from_boxes(boxes, text)
        if not gold:
            return Extraction(None, "none", reason="the box does not close")
        text = text[text.find("\\boxed") + 6 :].lstrip(" {")
    stripped = text.strip(_BLANK)
    if not text.strip():
        return Extraction(None, "none", reason="the response is empty")
    tagged = _from_tags(text)
    if tagged is not None:
        return tagged
    if "nswer" in text or "olution" in text:
        phrase = _from_phrases(text[-4000:])
        if phrase is not None:
            return phrase
    if not unmarked and not gold:
        return Extraction(None, "none", reason="no answer is marked")
    if not gold and "\n" in stripped and _SPLIT_INLINE.search(text[-2000:]):
        return Extraction(None, "none", reason="an inline formula spans several lines")
    if not gold:
        stripped = _TRAIL.sub("", _LEAD.sub("", stripped))
    if len(stripped) <= (MAX_ANSWER if gold else BARE):
        return Extraction(stripped, "bare", fallback=_last_formula(stripped))
    formula = _last_formula(stripped)
    if formula is None:
        return Extraction(None, "none", reason="no final answer is found")
    return Extraction(formula, "formula")
