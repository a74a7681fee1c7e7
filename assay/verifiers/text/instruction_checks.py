"""The checks of `instructions`: one small function for each instruction type of IFEval (arXiv 2311.07911).

Names and arguments are IFEval's, so its rows work as they are. Every function takes the response and the arguments
of the row and says whether the instruction is followed. Words match whole and without case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from assay.verifiers.text.length import COUNTERS
from assay.verifiers.text.schema import parse_json

Check = Callable[..., bool]

CHECKS: dict[str, Check] = {}
"""Instruction type to function."""


def instruction(name: str) -> Callable[[Check], Check]:
    """Register a check under its IFEval name."""

    def register(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return register


def _compare(count: int, relation: str, bound: int) -> bool:
    if relation == "at least":
        return count >= bound
    if relation == "less than":
        return count < bound
    raise ValueError(f"unknown relation {relation!r}; use 'at least' or 'less than'")


def _count_word(text: str, word: str) -> int:
    return len(re.findall(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE))


@instruction("keywords:existence")
def _existence(text: str, *, keywords: Sequence[str]) -> bool:
    return all(_count_word(text, word) for word in keywords)


@instruction("keywords:forbidden_words")
def _forbidden(text: str, *, forbidden_words: Sequence[str]) -> bool:
    return not any(_count_word(text, word) for word in forbidden_words)


@instruction("keywords:frequency")
def _frequency(text: str, *, keyword: str, frequency: int, relation: str) -> bool:
    return _compare(_count_word(text, keyword), relation, frequency)


@instruction("keywords:letter_frequency")
def _letter_frequency(text: str, *, letter: str, let_frequency: int, let_relation: str) -> bool:
    return _compare(text.casefold().count(letter.casefold()), let_relation, let_frequency)


@instruction("length_constraints:number_words")
def _number_words(text: str, *, num_words: int, relation: str) -> bool:
    return _compare(len(re.findall(r"\w+(?:['’-]\w+)*", text)), relation, num_words)


@instruction("length_constraints:number_sentences")
def _number_sentences(text: str, *, num_sentences: int, relation: str) -> bool:
    return _compare(COUNTERS["sentences"](text), relation, num_sentences)


@instruction("length_constraints:number_paragraphs")
def _number_paragraphs(text: str, *, num_paragraphs: int) -> bool:
    """Paragraphs are separated by the markdown divider ***."""
    parts = [part.strip() for part in re.split(r"\s?\*\*\*\s?", text)]
    inner = parts[1 if not parts[0] else 0 : -1 if not parts[-1] else None]
    return all(inner) and len(inner) == num_paragraphs


@instruction("length_constraints:nth_paragraph_first_word")
def _nth_first_word(text: str, *, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
    """Paragraphs are separated by blank lines."""
    paragraphs = [part.strip() for part in re.split(r"\n[ \t]*\n", text) if part.strip()]
    if len(paragraphs) != num_paragraphs or not 1 <= nth_paragraph <= len(paragraphs):
        return False
    words = re.findall(r"\w+(?:['’-]\w+)*", paragraphs[nth_paragraph - 1])
    return bool(words) and words[0].casefold() == first_word.casefold()


@instruction("detectable_content:number_placeholders")
def _placeholders(text: str, *, num_placeholders: int) -> bool:
    return len(re.findall(r"\[[^\[\]]{1,200}\]", text)) >= num_placeholders


@instruction("detectable_content:postscript")
def _postscript(text: str, *, postscript_marker: str) -> bool:
    return re.search(rf"(?:^|\n)\s*{re.escape(postscript_marker)}\s*\S", text, re.IGNORECASE) is not None


@instruction("detectable_format:number_bullet_lists")
def _bullets(text: str, *, num_bullets: int) -> bool:
    return len(re.findall(r"^[ \t]*[*-][ \t]+\S", text, re.MULTILINE)) == num_bullets


@instruction("detectable_format:number_highlighted_sections")
def _highlights(text: str, *, num_highlights: int) -> bool:
    return len(re.findall(r"\*\*[^*\n]*\w[^*\n]*\*\*|(?<!\*)\*[^*\n]*\w[^*\n]*\*(?!\*)", text)) >= num_highlights


@instruction("detectable_format:multiple_sections")
def _sections(text: str, *, section_spliter: str, num_sections: int) -> bool:
    return len(re.findall(rf"^[ \t]*{re.escape(section_spliter.strip())}\s?\d+\b", text, re.MULTILINE)) >= num_sections


@instruction("detectable_format:title")
def _title(text: str) -> bool:
    return any(title.strip() for title in re.findall(r"<<([^<>\n]+)>>", text))


@instruction("detectable_format:json_format")
def _json(text: str) -> bool:
    fenced = re.fullmatch(r"```(?:json)?\s*\n(.*)\n\s*```", text.strip(), re.DOTALL | re.IGNORECASE)
    try:
        parse_json(fenced.group(1) if fenced else text)
    except ValueError:
        return False
    return True


@instruction("detectable_format:constrained_response")
def _constrained(text: str) -> bool:
    """The whole response is one of the three sentences of IFEval, not merely a text that mentions one."""
    return text.strip() in ("My answer is yes.", "My answer is no.", "My answer is maybe.")


@instruction("combination:two_responses")
def _two_responses(text: str) -> bool:
    parts = [part.strip() for part in text.split("******")]
    return len(parts) == 2 and all(parts) and parts[0] != parts[1]


@instruction("combination:repeat_prompt")
def _repeat_prompt(text: str, *, prompt_to_repeat: str) -> bool:
    prompt = prompt_to_repeat.strip().casefold()
    return text.strip().casefold().startswith(prompt) and len(text.strip()) > len(prompt)


@instruction("startend:end_checker")
def _end(text: str, *, end_phrase: str) -> bool:
    return text.strip().strip('"').casefold().endswith(end_phrase.strip().casefold())


@instruction("startend:quotation")
def _quotation(text: str) -> bool:
    text = text.strip()
    return len(text) > 2 and text[0] == text[-1] == '"'


@instruction("change_case:capital_word_frequency")
def _capital_words(text: str, *, capital_frequency: int, capital_relation: str) -> bool:
    words = re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", text)
    return _compare(sum(word.isupper() for word in words), capital_relation, capital_frequency)


@instruction("change_case:english_capital")
def _all_capital(text: str) -> bool:
    return text.isupper()


@instruction("change_case:english_lowercase")
def _all_lowercase(text: str) -> bool:
    return text.islower()


@instruction("punctuation:no_comma")
def _no_comma(text: str) -> bool:
    return not re.search(r"[,，、،]", text)


def run_check(name: str, text: str, arguments: dict[str, Any]) -> bool:
    """Run a check. ValueError when the instruction is unknown or its arguments do not fit."""
    if name not in CHECKS:
        raise ValueError(f"unknown instruction {name!r}")
    try:
        return CHECKS[name](text, **{key: value for key, value in arguments.items() if value is not None})
    except (TypeError, AttributeError) as error:
        raise ValueError(f"{name}: {str(error).splitlines()[0]}") from None
