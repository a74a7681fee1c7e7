"""What must never reach a judge: answers without content, and answers that speak to the grader.

Source of the first: "One Token to Fool LLM-as-a-Judge" (arXiv 2507.08794): openers such as "Solution" or ":" are
accepted by most judges at rates up to 90 %. None of its master keys holds a content token.
"""

from __future__ import annotations

import re

_RUN = re.compile(r"[^\s!-/:-@\[-`{-~]+")
"""Anything between white space and ASCII punctuation; letters with combining marks stay whole."""

_OPENERS_TEXT = """
a an the this that it is are be was so then thus hence therefore now first next finally of to for in on as by and we i
me my you your our let lets s us have has will would can could should need must here there with
thought thoughts process think thinking reason reasoning solve solving solved solution solutions step steps problem
question answer answers answered explanation explain analysis result results final conclusion
begin start consider given find okay ok sure well hmm carefully
respuesta respuestas solución solucion la el los pregunta problema paso pasos por
réponse reponse étape etape problème probleme lösung loesung antwort schritt aufgabe
risposta soluzione resposta solução solucao ответ решение шаг задача
解 答案 答 解答 解析 思考 过程 過程 步骤 かいせつ 解説 回答 こたえ 풀이 정답 답 해설 الحل حل الجواب हल उत्तर समाधान
"""
_OPENERS = frozenset(_OPENERS_TEXT.split())
"""Words that open an answer, or stand around one, and say nothing themselves."""

_GRADER = re.compile(
    r"\b(?:grader|evaluator|examiner|rater|judge)s?\b\s*[:,!]"
    r"|\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instruction|prompt|rubric|above|previous|prior|guideline)"
    r"|\b(?:mark|grade|score|rate|judge|accept|treat|count)\s(?:this|it|me|my\s\w+|the\s(?:answer|response|solution))\b"
    r".{0,30}\b(?:correct|right|full|maximum|highest|perfect|\d+)\b"
    r"|\b(?:this|the|my)\s(?:above\s)?(?:answer|response|solution)\s(?:is|was|should be)\b.{0,30}"
    r"\b(?:correct|right|equivalent|accepted|verified|perfect)\b"
    r"|\b(?:full|maximum)\s(?:marks|score|credit|points)\b"
    r"|[\"'](?:verdict|score|grade|better|scores|judg(?:e)?ment)[\"']\s*:"
    r"|\b(?:verdict|judg(?:e)?ment|final decision)\s*[:=]"
    r"|<\|?/?(?:im_start|im_end|system|assistant|user|eot_id|start_header_id)\|?>|\[/?INST\]|^\s*(?:system|assistant)\s*:",
    re.IGNORECASE | re.MULTILINE,
)


def has_content(answer: str) -> bool:
    """Whether an answer holds anything that could be right: a number, a sign of mathematics, a telling word.

    A single letter counts when it is the whole answer (a choice, a variable).
    """
    words = [run.casefold() for run in _RUN.findall(answer) if any(char.isalnum() for char in run)]
    if not words:
        return any(char in "∅∞√" for char in answer)
    return any(word not in _OPENERS for word in words) or (
        len(words) == 1 and len(words[0]) == 1 and words[0].isascii()
    )


def addresses_grader(answer: str) -> str:
    """Return the words with which an answer speaks to whoever grades it, or an empty string."""
    found = _GRADER.search(answer)
    return found.group().strip()[:80] if found else ""
