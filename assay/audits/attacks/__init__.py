"""Attacks: responses that deserve no reward, generated from the user's own golds, by family."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from assay.audits.attacks import calls, hedges, injections, keys, scores
from assay.audits.attacks.base import Attack, Prey
from assay.audits.attacks.hostile import hostile_cases
from assay.audits.case import Case
from assay.audits.mutators import mutants
from assay.audits.mutators.exact import parse_exact
from assay.core.seeding import derive_seed, short_hash

FAMILIES: Mapping[str, Attack] = {
    "master-key": keys.master_keys,
    "opener": keys.openers,
    "empty": keys.empty,
    "hedge": hedges.hedge,
    "stuffing": hedges.stuffing,
    "negation": hedges.negation,
    "false-equation": hedges.false_equation,
    "trailing": hedges.trailing,
    "grader-addressed": injections.addressed,
    "flattery": injections.flattery,
    "printed-verdict": injections.verdicts,
    "markup": injections.markup,
    "gibberish": injections.gibberish,
    "odd-score": scores.score_texts,
}
"""Attacks by family. Hostile inputs and the code-execution canary have their own probes."""

GOLD_FREE = ("master-key", "opener", "empty", "printed-verdict", "gibberish", "odd-score")
"""Families that do not need to know the gold."""

ON_CALLS: Mapping[str, Attack] = {name: FAMILIES[name] for name in GOLD_FREE} | {
    "shotgun": calls.shotgun,
    "call-described": calls.described,
    "call-in-reasoning": calls.in_reasoning,
}
"""Attacks on tasks that want tool calls."""


def attack_cases(
    golds: Sequence[Case],
    frames: Sequence[str],
    *,
    seed: int = 0,
    most: int = 600,
    families: Mapping[str, Attack] = FAMILIES,
    wrong: Mapping[str, str] | None = None,
) -> list[Case]:
    """Return attack cases, spread evenly over families and golds, at most `most` in all.

    `frames` are the ways of writing in which the verifier reads answers; each task is attacked in one of them.
    `wrong` has a wrong answer by id of the gold, one that the verifier rejects when it stands alone: an attack must
    not be credited with what the answer in it achieves. By default any wrong answer is taken.
    """
    rng = random.Random(derive_seed("attacks", seed))
    texts = [str(g.target) for g in golds]
    queues: dict[str, list[Case]] = {name: [] for name in families}
    for gold in golds:
        others = [t for t in texts if t != str(gold.target)]
        answer = (wrong or {}).get(gold.id) or rng.choice(wrong_answers(gold, rng))
        prey = Prey(gold, answer, others, rng.choice(frames))
        for name, attack in families.items():
            made = [text for text in dict.fromkeys(attack(prey, rng)) if not same_answer(text, prey.gold)]
            rng.shuffle(made)
            queues[name] += [_case(gold, name, text) for text in made]
    share = most // max(1, len(families))
    # Golds in turn: the first `share` of a queue would be those of a few golds only.
    return [case for queue in queues.values() for case in rng.sample(queue, min(share, len(queue)))]


def wrong_answers(gold: Case, rng: random.Random, most: int = 4) -> list[str]:
    """Return answers that are certainly wrong: certified mutants, and in the end a word that is none."""
    made = [m.text for m in mutants(str(gold.target), rng) if not m.correct and not m.certificate.convention]
    short = [text for text in made if len(text) <= 2 * len(str(gold.target)) + 12]
    return [*rng.sample(short, min(most, len(short))), "qzx"]


def same_answer(text: str, gold: str) -> bool:
    """Return whether a text happens to be the gold, or its value."""
    if _skeleton(text) == _skeleton(gold):
        return True
    value, other = parse_exact(text), parse_exact(gold)
    return value is not None and value == other


def _skeleton(text: str) -> str:
    """Return what is left of an answer without layout, brackets and case."""
    return re.sub(r"\\(?:boxed|text[a-z]*|mathrm|left|right|displaystyle)|[\s${}()]", "", text).casefold()


def _case(gold: Case, family: str, text: str) -> Case:
    return Case(
        id=f"attack/{family}/{gold.id}/{short_hash(text, 8)}",
        target=gold.target,
        response=text,
        correct=False,
        origin="attack",
        cls=family,
        family=family,
        problem=gold.problem,
        cluster=gold.cluster or gold.id,
        metadata=gold.metadata,
    )


__all__ = ["FAMILIES", "GOLD_FREE", "ON_CALLS", "Prey", "attack_cases", "hostile_cases", "same_answer", "wrong_answers"]
