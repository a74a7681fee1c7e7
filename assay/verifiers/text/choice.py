"""`choice`: the letter of a multiple-choice question.

The target is a letter, an option's text, or a 0-based index with `target_is_index=True`; a list of letters asks for
exactly that set. The options' texts, when there are any, stand in `task.metadata["choices"]` (a list, or a mapping
from letter to text). The last stated choice counts. Wrong: several letters where one is asked (`A or B`), a letter
whose text is that of another option (`B. London`), options that are only ruled out (`not A`), and a choice
that is taken back or hedged right after it (`B. But it could also be A`).
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping

from assay.core.task import Task
from assay.verifiers.base import Evidence
from assay.verifiers.text.base import AnswerVerifier
from assay.verifiers.text.extract import Source, after_reasoning, find_answers, tidy
from assay.verifiers.text.normalize import Normalizer

Options = dict[str, str]
"""Letter to normalised text; the text is empty where it is not known."""

_plain = Normalizer(ignore_case=True, ignore_punctuation=True)
_LATEX_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s{0,3}\{([^{}]*)\}")
_LEAD = re.compile(
    r"(?:the\s)?(?:(?:correct|right|best|final)\s)?(?:option|choice|answer)s?(?:\sis)?:?\s", re.IGNORECASE
)
_RULED_OUT = re.compile(
    r"(?:\b(?:not|neither|nor|except|cannot|never|rather than|instead of)\b|n't\b|n’t\b|\\neq?\b|≠|!=|<>)(?:\sbe\b)?"
    r"(?:\s(?:option|choice))?[\s(*]*[A-Z]\b[)*]*"
    r"|\(?\b[A-Z]\b\)?\s(?:is|are|was)(?:\s(?:not\b|wrong\b|incorrect\b|false\b|out\b)|n't\b|n’t\b)",
    re.IGNORECASE,
)
_LETTER = re.compile(r"(?<![\w'’-])(?:\(([A-Za-z])\)|\[([A-Za-z])\]|([A-Za-z])\)|([A-Z]))(?![\w'’-])")
_CONNECTIVE = re.compile(
    r"\W*$|[^\w\s*+=^<>|{}\\]|\s+(?:because|since|as|for|which|and|or|but|with|due|[^\w\s*+=^<>|{}\\]"
    r"|is\s+(?:indeed\s+|clearly\s+)?(?:the|correct|right|best|true|my|our|what)\b)",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"\b(?:answer|choice|option)\b\W{0,4}(?:is\b|:|=|would be\b|must be\b|should be\b)[^\S\n]{0,3}:?([^\n]{1,500})"
    r"|\b(?:choose|select|pick|go with)\b([^\n]{1,500})"
    r"|\b((?:option|choice)\s[^\n]{1,40}?)\sis\s(?:the\s)?(?:correct|right|best)\b",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:(?:could|might|may)(?:\s+(?:also|well|equally))?\s+be|or\s+(?:maybe|perhaps|possibly)|alternatively"
    r"|on second thought|equally likely)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=\w\w)[.!?](?:\s|$)|(?<=[A-Z)])\.\s+(?=[A-Z][a-z])")


class ChoiceVerifier(AnswerVerifier[frozenset[str]]):
    """Right when the response states exactly the right letter, or the right set of letters."""

    name = "choice"

    def __init__(
        self,
        *,
        source: Source = "answer",
        tag: str = "answer",
        letters: str = "ABCDEFGHIJ",
        target_is_index: bool = False,
    ) -> None:
        """`letters` are the labels of the options; with known options only as many as there are count."""
        super().__init__(source=source, tag=tag)
        self.letters, self.target_is_index = letters.upper(), target_is_index

    def read_gold(self, task: Task) -> frozenset[str]:
        """Return the right letters."""
        options = self._options(task)
        targets = task.target if isinstance(task.target, list | tuple) else [task.target]
        gold = frozenset(self._gold_letter(target, options) for target in targets)
        if not gold:
            raise ValueError("the target is empty")
        return gold

    def answers(self, evidence: Evidence) -> tuple[str, ...]:
        """Return the marked answers; without a mark, the last statement or a last line that is only a choice."""
        marked = find_answers(evidence.text, "tag", tag=self.tag) or find_answers(evidence.text, "boxed")
        if self.source in ("answer", "stated"):
            if marked and self.source == "answer":
                return marked
            stated = _last_statement(after_reasoning(evidence.text))
            return (stated,) if stated else ()
        return super().answers(evidence)

    def read_answer(self, text: str, task: Task) -> frozenset[str]:
        """Return the letters that an answer names."""
        options = self._options(task)
        text = _LATEX_TEXT.sub(r"\1", tidy(text)).replace("**", "")
        if letter := self._by_text(text, options):
            return frozenset([letter])
        lead = _LEAD.match(text)
        bare = text[lead.end() :].strip() if lead else text.strip()
        if len(bare) == 1 and bare.upper() in options:
            return frozenset([bare.upper()])
        if letter := self._by_text(bare, options):
            return frozenset([letter])
        found = self._letters_in(_RULED_OUT.sub(" ", bare), options)
        if not found:
            raise ValueError(f"names no option: {text[:60]!r}")
        return found

    def same(self, answer: frozenset[str], gold: frozenset[str]) -> bool:
        """Whether exactly the right letters are named."""
        return answer == gold

    def _options(self, task: Task) -> Options:
        choices = task.metadata.get("choices")
        if isinstance(choices, Mapping):
            return {str(letter).upper(): _plain(str(text)) for letter, text in choices.items()}
        if isinstance(choices, list | tuple):
            return dict(zip(self.letters or string.ascii_uppercase, (_plain(str(c)) for c in choices), strict=False))
        return dict.fromkeys(self.letters, "")

    def _gold_letter(self, target: object, options: Options) -> str:
        if self.target_is_index:
            if isinstance(target, bool) or not isinstance(target, int) or not 0 <= target < len(options):
                raise ValueError(f"the target {target!r} is not an index of the {len(options)} options")
            return list(options)[target]
        if not isinstance(target, str) or not target.strip():
            raise ValueError(f"the target must be a letter or an option's text, not {target!r}")
        letter = target.strip().strip("()[].").upper()
        if letter in options:
            return letter
        if letter := self._by_text(target, options):
            return letter
        raise ValueError(f"the target {target!r} is no option; the letters are {''.join(options)}")

    def _by_text(self, text: str, options: Options) -> str:
        """Return the letter of the only option with this text, or an empty string."""
        plain = _plain(text)
        found = [letter for letter, option in options.items() if option and option == plain]
        return found[0] if len(found) == 1 else ""

    def _letters_in(self, text: str, options: Options) -> frozenset[str]:
        found: set[str] = set()
        for match in _LETTER.finditer(text):
            letter = next(filter(None, match.groups())).upper()
            rest = text[match.end() : match.end() + 500]
            if letter not in options:
                continue
            bracketed = match.group(4) is None
            named = _plain(rest)
            if other := self._by_text(rest, options):
                if other != letter:
                    raise ValueError(f"says {letter} but gives the text of {other}")
                return frozenset([letter, *found])
            begins = bool(options[letter]) and named.removeprefix("is ").startswith(options[letter])
            if bracketed or begins or _CONNECTIVE.match(rest):
                found.add(letter)
        return frozenset(found)


def _last_statement(text: str) -> str:
    last, after = "", ""
    for match in _STATED.finditer(text):
        statement = next(filter(None, match.groups())).strip(" \t:*")
        if statement:
            last, *rest = _SENTENCE_END.split(statement, maxsplit=1)
            after = " ".join([*rest, text[match.end() : match.end() + 500]])
    if last:
        return f"{last}. {after}" if _HEDGE.search(after) else last
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines and len(lines[-1]) <= 500 else ""
