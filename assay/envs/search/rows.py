"""Questions of HotpotQA, MuSiQue and Natural Questions, and corpora, from the user's files (JSONL, Parquet, hf://).

HotpotQA (both layouts, own and Hugging Face's) and MuSiQue bring their passages; open questions (`question`,
`answer`) are searched for in a corpus of rows with `text` (or `contents`), and optionally `id` and `title`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assay.core.errors import DataError
from assay.core.kept import kept
from assay.core.message import Message, system, user
from assay.core.seeding import split_of
from assay.core.task import Task, TaskList, content_id, of_split, read_rows
from assay.envs.search.passages import Passage


@kept
def load_questions(data: str | Path, split: str, instructions: str, *, corpus: bool) -> TaskList:
    """Read a file. `corpus`: whether questions without passages can be searched for elsewhere."""
    tasks = []
    for line, row in read_rows(data):
        try:
            task = _task(row, instructions)
            if not corpus and not task.metadata["passages"]:
                raise ValueError("the row brings no passages; name a file of them with the option 'corpus'")
        except (ValueError, KeyError, TypeError) as error:
            what = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
            raise DataError(what, path=str(data), line=line) from None
        tasks.append(task)
    return of_split(tasks, split, data)


def read_corpus(source: str | Path) -> Iterator[Passage]:
    """Yield the passages of a corpus file."""
    for line, row in read_rows(source):
        text = row.get("text", row.get("contents"))
        if not isinstance(text, str):
            raise DataError("a passage needs the field 'text' or 'contents'", path=str(source), line=line)
        yield Passage(str(row.get("id", line)), str(row.get("title", "")), text)


def _task(row: dict[str, Any], instructions: str) -> Task:
    question = row["question"]
    answers = row["answer"] if isinstance(row["answer"], list) else [row["answer"], *(row.get("answer_aliases") or [])]
    texts = [question, *answers]
    if not answers or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ValueError("question and answers must be text")
    passages, support = _passages(row)
    told: tuple[Message, ...] = (system(instructions), user(question)) if instructions else (user(question),)
    return Task(
        id=str(row.get("_id") or row.get("id") or content_id(question, answers)),
        prompt=told,
        target={"answers": answers, "support": support},
        split=split_of(question),
        metadata={"passages": [[p.id, p.title, p.text] for p in passages]},
    )


def _passages(row: dict[str, Any]) -> tuple[list[Passage], list[str]]:
    """Return the passages of a row and the ids of those that support the answer."""
    if "paragraphs" in row:  # MuSiQue
        passages = [Passage(f"p{p['idx']}", p["title"], p["paragraph_text"]) for p in row["paragraphs"]]
        return passages, [f"p{p['idx']}" for p in row["paragraphs"] if p["is_supporting"]]
    if "context" not in row:
        return [], []
    context, facts = row["context"], row.get("supporting_facts", [])
    if isinstance(context, dict):  # HotpotQA as Hugging Face stores it: columns, not rows
        context = list(zip(context["title"], context["sentences"], strict=True))
    titles = set(facts["title"]) if isinstance(facts, dict) else {fact[0] for fact in facts}
    passages = [Passage(f"p{i}", title, "".join(sentences)) for i, (title, sentences) in enumerate(context, 1)]
    return passages, [p.id for p in passages if p.title in titles]
