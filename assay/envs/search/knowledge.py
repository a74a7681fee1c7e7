"""Random worlds in prose: people, companies and cities that exist nowhere, and questions that need 1 to 4 passages.

`What is the mayor of the seat of the employer of Doralin?` takes one passage for each `of`. All names are made up for
each task, so an answer can be neither remembered nor guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assay.core.task import Problem
from assay.envs.procedural import check_between, prompt, span
from assay.envs.search.passages import Passage

_ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "dr", "kr", "tr", "st", "pl")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ou")
_ENDS = ("n", "r", "s", "x", "l", "m", "th", "nd", "")

RELATIONS = {
    "person": {"employer": "company", "home town": "city", "teacher": "person"},
    "company": {"founder": "person", "seat": "city", "supplier": "company"},
    "city": {"mayor": "person", "main employer": "company", "twin town": "city"},
}
FACTS = {"person": "height in metres", "company": "share price", "city": "area in hectares"}
"""Numbers, many with decimals."""


@dataclass(frozen=True)
class KnowledgeGenerator:
    """A world of `passages` entities, one passage each, and a question over some of them."""

    hops: tuple[int, int] = (1, 2)
    passages: int = 12
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hops", span("hops", self.hops, low=1, high=4))
        check_between("passages", self.passages, 6, 1000)

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one question with its world."""
        kinds = [tuple(RELATIONS)[i % 3] for i in range(self.passages)]
        names = _names(self.passages, rng)
        links = [_links(i, kinds, rng) for i in range(self.passages)]
        numbers = [int(rng.integers(11, 9999)) / _pick((1, 10), rng) for _ in names]
        order = rng.permutation(self.passages).tolist()
        ids = [f"p{order[i] + 1}" for i in range(self.passages)]
        hops = int(rng.integers(self.hops[0], self.hops[1] + 1))
        chain, phrase, answer = _question(names, kinds, links, numbers, rng, hops)
        rows = [
            Passage(ids[i], name, _prose(name, kinds[i], {r: names[j] for r, j in links[i].items()}, numbers[i]))
            for i, name in enumerate(names)
        ]
        rows.sort(key=lambda passage: int(passage.id[1:]))
        question = f"What is {phrase}?"
        return {
            "prompt": prompt(question, self.instructions),
            "key": f"{question} {answer}",
            "target": {"answers": [answer], "support": [ids[i] for i in chain]},
            "difficulty": float(len(chain)),
            "tags": (f"hops-{len(chain)}",),
            "metadata": {
                "passages": [[row.id, row.title, row.text] for row in rows],
                "queries": [names[i] for i in chain],
            },
        }


def _names(n: int, rng: np.random.Generator) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < n:
        syllables = [_pick(_ONSETS, rng) + _pick(_VOWELS, rng) for _ in range(3)]
        names["".join([*syllables, _pick(_ENDS, rng)]).capitalize()] = None
    return list(names)


def _links(i: int, kinds: Sequence[str], rng: np.random.Generator) -> dict[str, int]:
    """Return relation → another entity of the right kind."""
    found = {}
    for relation, kind in RELATIONS[kinds[i]].items():
        fitting = [j for j, other in enumerate(kinds) if other == kind and j != i]
        found[relation] = fitting[int(rng.integers(len(fitting)))]
    return found


def _question(
    names: Sequence[str],
    kinds: Sequence[str],
    links: Sequence[dict[str, int]],
    numbers: Sequence[float],
    rng: np.random.Generator,
    hops: int,
) -> tuple[list[int], str, str]:
    """Return the entities whose passages are needed, the phrase that is asked for, and the answer.

    A walk that meets an entity twice would need fewer passages than it has hops, and is drawn again.
    """
    while True:
        at = int(rng.integers(len(names)))
        chain, phrase, answer = [at], names[at], ""
        for hop in range(hops):
            if hop == hops - 1 and rng.random() < 0.25:
                phrase, answer = f"the {FACTS[kinds[at]]} of {phrase}", f"{numbers[at]:g}"
                break
            relation = _pick(tuple(links[at]), rng)
            phrase, at = f"the {relation} of {phrase}", links[at][relation]
            answer = names[at]
            chain.append(at)
        needed = chain[:hops]
        if len(set(chain)) == len(chain):
            return needed, phrase, answer


def _prose(name: str, kind: str, links: dict[str, str], number: float) -> str:
    facts = [f"The {relation} of {name} is {other}." for relation, other in links.items()]
    return " ".join([f"{name} is a {kind}.", *facts, f"The {FACTS[kind]} of {name} is {number:g}."])


def _pick(pool: Sequence[Any], rng: np.random.Generator) -> Any:
    return pool[int(rng.integers(len(pool)))]
