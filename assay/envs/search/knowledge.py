"""Random worlds in prose: people, companies and cities that exist nowhere, and questions that need 1 to 4 passages.

`What is the mayor of the seat of the employer of Doralin?` takes one passage for each `of`. All names are made up for
each task, so an answer can be neither remembered nor guessed. Worlds in notes, with names of one or two syllables, say
the same in half as many characters, for small models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from assay.core.errors import ConfigError
from assay.core.seeding import derive_seed
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
_WORDS = frozenset(word for facts in (*RELATIONS.values(), *FACTS.items()) for fact in facts for word in fact.split())
"""Words of the passages that no name may be: a search for it would find others."""


@dataclass(frozen=True)
class KnowledgeGenerator:
    """A world of `passages` entities, one passage each, and a question over some of them.

    A passage names `relations` other entities and a number. `syllables` is the length of the names; with `notes` a
    passage is a list of facts and not a sentence for each. With `names`, every world takes its names from the same so
    many (who is what, and whose, still differs), so that they are words to recognise and a blind guess may hit.
    """

    hops: tuple[int, int] = (1, 2)
    passages: int = 12
    relations: int = 3
    syllables: int = 3
    names: int | None = None
    notes: bool = False
    instructions: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hops", span("hops", self.hops, low=1, high=4))
        check_between("passages", self.passages, 6, 1000)
        check_between("relations", self.relations, 1, 3)
        check_between("syllables", self.syllables, 1, 3)
        if self.relations < 3 and self.hops != (1, 1):
            raise ConfigError("a world with fewer than 3 relations is for hops: 1; longer ways may not exist in it")
        if self.names is not None:
            check_between("names", self.names, self.passages, 10_000)
        wanted = max(self.passages, self.names or 0)
        if self.syllables == 1 and wanted > 100:
            raise ConfigError(f"there are too few names of one syllable: at most 100, and {wanted} are wanted")

    def __call__(self, rng: np.random.Generator) -> Problem:
        """Return one question with its world."""
        kinds = [tuple(RELATIONS)[i % 3] for i in range(self.passages)]
        names = self._draw_names(rng)
        write = _note if self.notes else _prose
        links = [_links(i, kinds, self.relations, rng) for i in range(self.passages)]
        numbers = [int(rng.integers(11, 9999)) / _pick((1, 10), rng) for _ in names]
        order = rng.permutation(self.passages).tolist()
        ids = [f"p{order[i] + 1}" for i in range(self.passages)]
        hops = int(rng.integers(self.hops[0], self.hops[1] + 1))
        chain, phrase, answer = _question(names, kinds, links, numbers, rng, hops)
        rows = [
            Passage(ids[i], name, write(name, kinds[i], {r: names[j] for r, j in links[i].items()}, numbers[i]))
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
                "fact": (_entry if self.notes else _sentence)(names[chain[-1]], phrase[4:].split(" of ")[0], answer),
            },
        }

    def _draw_names(self, rng: np.random.Generator) -> list[str]:
        if self.names is None:
            return _names(self.passages, self.syllables, rng)
        known = _common_names(self.names, self.syllables)
        return [known[i] for i in rng.permutation(self.names)[: self.passages].tolist()]


@lru_cache(maxsize=8)
def _common_names(n: int, length: int) -> tuple[str, ...]:
    return tuple(_names(n, length, np.random.Generator(np.random.PCG64(derive_seed("names", n, length)))))


def _names(n: int, length: int, rng: np.random.Generator) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < n:
        syllables = [_pick(_ONSETS, rng) + _pick(_VOWELS, rng) for _ in range(length)]
        name = "".join([*syllables, _pick(_ENDS, rng)])
        if name not in _WORDS:
            names[name.capitalize()] = None
    return list(names)


def _links(i: int, kinds: Sequence[str], count: int, rng: np.random.Generator) -> dict[str, int]:
    """Return relation → another entity of the right kind, for `count` of the relations that the kind of `i` has."""
    found = {}
    every = RELATIONS[kinds[i]]
    drawn = every if count == len(every) else sorted(rng.permutation(list(every))[:count].tolist())
    for relation, kind in ((relation, every[relation]) for relation in drawn):
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
    facts = [_sentence(name, *fact) for fact in (*links.items(), (FACTS[kind], f"{number:g}"))]
    return " ".join([f"{name} is a {kind}.", *facts])


def _note(name: str, kind: str, links: dict[str, str], number: float) -> str:
    facts = [_entry(name, *fact) for fact in (*links.items(), (FACTS[kind], f"{number:g}"))]
    return f"{name} is a {kind}: {', '.join(facts)}."


def _sentence(name: str, relation: str, value: str) -> str:
    return f"The {relation} of {name} is {value}."


def _entry(name: str, relation: str, value: str) -> str:
    return f"{relation} {value}"


def _pick(pool: Sequence[Any], rng: np.random.Generator) -> Any:
    return pool[int(rng.integers(len(pool)))]
