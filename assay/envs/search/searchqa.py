"""assay/SearchQA-v0: answer a question with a search tool.

`What is the seat of the employer of Doralin?` The agent searches for `Doralin`, reads who employs her, searches for
that company, and answers `<answer>Krouvex</answer> [p3] [p11]`. Passages are cited by their ids.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from assay.core.errors import ConfigError
from assay.core.message import Observation
from assay.core.seeding import Split
from assay.core.task import Task, TaskSet
from assay.core.tool import Tool, ToolCall
from assay.envs.base import play
from assay.envs.procedural import check_between, task_source
from assay.envs.search.bm25 import Bm25Index
from assay.envs.search.build import open_index
from assay.envs.search.index import Index
from assay.envs.search.knowledge import KnowledgeGenerator
from assay.envs.search.passages import Passage
from assay.envs.search.rows import load_questions, read_corpus
from assay.envs.search.verifier import Reward, SearchQaVerifier
from assay.envs.tools.base import ToolEnv
from assay.verifiers.base import Evidence

ENV_ID = "assay/SearchQA-v0"
_INSTRUCTIONS = (
    "Answer the question. Use the search tool as often as you need; it returns passages with their ids. When you know "
    "the answer, write it without a tool call as <answer>...</answer>, as briefly as you can, followed by the ids of "
    "the passages that it rests on, such as [p3] [p7], and no others."
)


class SearchQaEnv(ToolEnv):
    """Questions over generated worlds, or over the user's questions and passages.

    Options: `hops` (passages that a question needs: a number or [first, last], up to 4), `passages` (size of a world),
    `relations` (that a passage tells of, up to 3; fewer with `hops=1` only), `syllables` (of the names, 1 to 3),
    `names` (how many there are for all worlds; default: made up anew for each), `notes` (passages are lists of facts
    and no sentences), `top_k` (passages a search returns), `reward` (see `search.verifier`), `data` (HotpotQA, MuSiQue
    or open questions; then `split` may be `all`), `corpus` (passages for all questions: a file, a directory that
    `build_index` made, which all processes share, or any `Index`), `max_turns`, `instructions`, `split`.

    Demonstrations: `hop` looks up one entity after another and cites what it used; `quote` does so and quotes the fact
    that is the answer before it answers; `hasty` searches once and takes any name of the world; `closed` makes up an
    answer. Only generated questions have them.
    """

    demonstration_styles: ClassVar[tuple[str, ...]] = ("hop", "quote", "hasty", "closed")

    def __init__(
        self,
        *,
        hops: int | Sequence[int] = (1, 2),
        passages: int = 12,
        relations: int = 3,
        syllables: int = 3,
        names: int | None = None,
        notes: bool = False,
        top_k: int = 3,
        reward: Reward = "answer",
        data: str | Path | None = None,
        corpus: str | Path | Index | None = None,
        max_turns: int = 8,
        instructions: bool = False,
        split: Split | Literal["all"] = "train",
        render_mode: str | None = None,
    ) -> None:
        check_between("top_k", top_k, 1, 100)
        text = _INSTRUCTIONS if instructions else ""
        tasks: TaskSet
        if data is not None:
            tasks = load_questions(data, split, text, corpus=corpus is not None)
        elif corpus is not None or split == "all":
            raise ConfigError("a 'corpus' and split 'all' are for questions from a file (option 'data')")
        else:
            generator = KnowledgeGenerator(hops, passages, relations, syllables, names, notes, text)  # type: ignore[arg-type]
            tasks = task_source(ENV_ID, split, generator, KnowledgeGenerator())
        self.top_k = top_k
        self._corpus = _load_corpus(str(corpus)) if isinstance(corpus, str | Path) else corpus
        self._index: Index = self._corpus or Bm25Index(())
        self._log: list[list[str]] = []
        self.blocking = self._corpus is not None  # a large index takes its time, a server even more
        super().__init__(
            tasks, SearchQaVerifier(reward), [Tool(self.search)], max_turns=max_turns, render_mode=render_mode
        )

    def begin(self, task: Task) -> Observation:
        """Index the passages of the task, unless there is one corpus for all."""
        self._log = []
        self._index = self._corpus or Bm25Index([Passage(*row) for row in task.metadata["passages"]])
        return task.messages()

    def search(self, query: Annotated[str, Field(max_length=1000)]) -> str:
        """Search for passages.

        Args:
            query: Words to look for.
        """
        # Encoders and servers may break on nothing at all, and that would be the agent's doing.
        found = self._index.search(query, self.top_k) if query.strip() else []
        self._log.append([passage.id for passage in found])
        return "\n".join(passage.render() for passage in found) or "nothing found"

    def evidence(self) -> Evidence:
        """Return the transcript and the ids of what was found: first what was best in each search, then the next.

        So the order of the searches does not matter, and a search more costs rank only when it finds nothing of use.
        """
        seen = super().evidence()
        ranks = zip_longest(*self._log)
        state: dict[str, Any] = {"retrieved": tuple(item for rank in ranks for item in rank if item is not None)}
        return Evidence(seen.text, seen.messages, state=state)

    def demonstrate(self, task: Task, style: str, rng: np.random.Generator) -> list[str]:
        """Play an episode in one of the styles."""
        if style not in self.demonstration_styles:
            return super().demonstrate(task, style, rng)
        if "queries" not in task.metadata:
            raise ConfigError(f"{task.id}: questions from files have no demonstrations")
        return play(self, task, self._player(task, style, rng))

    def demonstration(self, task: Task) -> list[str] | None:
        """Return the oracle's turns for a generated question."""
        return super().demonstration(task) if "queries" in task.metadata else None

    def _player(self, task: Task, style: str, rng: np.random.Generator) -> Generator[str, Observation, None]:
        queries = task.metadata["queries"]
        titles = [row[1] for row in task.metadata["passages"]]
        answer = titles[int(rng.integers(len(titles)))]
        cited: list[str] = []
        if style == "closed":  # a name of another world
            answer = answer[::-1].capitalize()
        elif style == "hasty":
            yield ToolCall("search", {"query": queries[0]}).render()
        else:
            for query in queries:
                yield ToolCall("search", {"query": query}).render()
            answer, cited = task.target["answers"][0], task.target["support"]
        quoted = [task.metadata["fact"]] if style == "quote" else []
        yield " ".join([*quoted, f"<answer>{answer}</answer>", *(f"[{passage}]" for passage in cited)])


@lru_cache(maxsize=2)
def _load_corpus(path: str) -> Index:
    """Open an index, or read and index a file, once: a run makes many environments over it."""
    return open_index(path) if Path(path).is_dir() else Bm25Index(list(read_corpus(path)))
