"""Mutants of multiple-choice golds whose options are known: the letter, the option's text, and the wrong of both.

The options stand in `metadata["choices"]`, a list or a mapping from letter to text; the gold is a letter or the text of
an option. Without options only the letter is known, and `choice_mutants` makes what follows from that.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator, Mapping

from assay.audits.case import Case, Relation
from assay.audits.mutators.base import Mutant, claimed


def read_options(case: Case) -> tuple[str, dict[str, str]] | None:
    """Return the right letter and the options; None where they are unknown, ambiguous, or not one of them is right."""
    choices = case.metadata.get("choices")
    if isinstance(choices, Mapping):
        options = {str(letter).upper(): str(text).strip() for letter, text in choices.items()}
    elif isinstance(choices, (list, tuple)) and len(choices) <= 26:
        options = dict(zip(string.ascii_uppercase, (str(text).strip() for text in choices), strict=False))
    else:
        return None
    texts = [text.casefold() for text in options.values()]
    if not isinstance(case.target, str) or len(set(texts)) < len(texts) or len(options) < 2 or "" in texts:
        return None
    gold = case.target.strip().strip("()[].")
    letters = [k for k, text in options.items() if gold.upper() == k or gold.casefold() == text.casefold()]
    return (letters[0], options) if len(letters) == 1 else None


def option_mutants(case: Case, rng: random.Random, frame: str) -> Iterator[Mutant]:
    """Yield answers to a question with known options."""
    found = read_options(case)
    if found is None:
        return
    letter, options = found
    text = options[letter]
    other = rng.choice([k for k in options if k != letter])

    def mutant(answer: str, family: str, relation: Relation, argument: str, convention: str = "") -> Mutant:
        return claimed(answer, "choice", family, relation, "letters", argument, convention=convention)

    same = f"the right option is {letter}: {text}"
    yield mutant(letter, "letter", "equal", same)
    yield mutant(f"({letter})", "brackets", "equal", same)
    yield mutant(f"{letter}.", "full-stop", "equal", same)
    yield mutant(letter.lower(), "lower-case", "equal", same, "case")
    # A text that is itself a letter or holds one could be read as another option.
    worded = len(text) > 1 and text.upper() not in options
    if worded:
        yield mutant(text, "option-text", "equal", same, "option-text")
        yield mutant(f"{letter}. {text}", "letter-and-text", "equal", same)
        yield mutant(f"({letter}) {text}", "brackets-and-text", "equal", same)
    for wrong in options:
        if wrong != letter:
            yield mutant(wrong, "other-letter", "different", f"{wrong} is not {letter}")
    yield mutant(f"{letter}, {other}", "two-letters", "different", f"{other} is chosen too")
    yield mutant(f"{letter} or {other}", "two-letters", "different", f"{other} is chosen too")
    yield mutant(", ".join(options), "all-letters", "different", "every option is chosen")
    yield mutant(f"not {letter}", "negated", "different", f"{letter} is ruled out")
    if len(options[other]) > 1 and options[other].upper() not in options:
        yield mutant(options[other], "other-text", "different", f"that is {other}, not {letter}")
        if worded:
            argument = f"the letter says {letter} and the text {other}"
            yield mutant(f"{letter}. {options[other]}", "letter-against-text", "different", argument)
