"""Task and TaskSet: what is asked, and where the questions come from.

Invariants:

* A `Task` is frozen and its `id` is stable across runs: curricula, resumes and paired comparisons key on it.
* `target` is for verifiers. It never appears in an observation.
* Train and eval content is disjoint by construction: rows are assigned by their file or split name, procedural
  problems by a hash of their content (`seeding.split_of`).
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from assay.core.errors import ConfigError, DataError
from assay.core.message import Message, Observation, user
from assay.core.seeding import Split, derive_seed, short_hash, split_of


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one episode; None means that the environment's own default holds."""

    turns: int | None = None
    tokens: int | None = None
    """Tokens that the agent may write in the whole episode."""
    seconds: float | None = None
    """Time from the first turn on, that of the environment's steps included. A step under way is not cut short."""
    turn_tokens: int | None = None
    """Tokens that the agent may write in one turn."""
    turn_seconds: float | None = None
    """Time that the agent may take for one turn."""

    def tightest(self, other: Limits) -> Limits:
        """Return the smaller of both for each limit."""
        if other == NO_LIMITS:
            return self
        pairs = [(getattr(self, f.name), getattr(other, f.name)) for f in fields(Limits)]
        return Limits(*(a if b is None else b if a is None else min(a, b) for a, b in pairs))


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Task:
    """One problem: an immutable row."""

    id: str
    prompt: str | tuple[Message, ...]
    """A single user message as text, or the opening messages."""
    target: Any = None
    """The gold answer or whatever the verifier needs; JSON-serialisable. Never shown to the agent."""
    split: str = "train"
    seed: int = 0
    """Seed of everything random in an episode of this task that is part of the task itself."""
    tags: tuple[str, ...] = ()
    difficulty: float | None = None
    images: tuple[str, ...] = ()
    limits: Limits = Limits()
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.prompt, str | tuple | list):
            raise ConfigError(
                f"task {self.id!r}: the prompt must be text or a tuple of messages, not {self.prompt!r:.80}"
            )

    def messages(self) -> Observation:
        """Return the prompt as messages."""
        return (user(self.prompt),) if isinstance(self.prompt, str) else self.prompt


class TaskSet(ABC):
    """An indexable source of tasks, sized or infinite.

    `len()` of an infinite set raises `TypeError`; ask `size`, which is None for it. Indexing is deterministic:
    the same index always gives the same task.
    """

    size: int | None = None

    @abstractmethod
    def __getitem__(self, index: int) -> Task:
        """Return task number `index` (0-based; any non-negative index for infinite sets)."""

    def get(self, task_id: str) -> Task:
        """Return the task with this id. `ConfigError` when there is none."""
        raise ConfigError(f"no task {task_id!r} in {type(self).__name__}")

    def __len__(self) -> int:
        if self.size is None:
            raise TypeError(f"{type(self).__name__} is infinite; use .size or .head(n)")
        return self.size

    def __iter__(self) -> Iterator[Task]:
        index = 0
        while self.size is None or index < self.size:
            yield self[index]
            index += 1

    def head(self, n: int) -> TaskList:
        """Return the first `n` tasks as a sized set (fewer when the set is smaller)."""
        n = n if self.size is None else min(n, self.size)
        return TaskList([self[i] for i in range(n)])


class TaskList(TaskSet):
    """Tasks held in memory. Refuses duplicate ids, since everything downstream keys on them."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = list(tasks)
        self._by_id = {task.id: task for task in self._tasks}
        if len(self._by_id) != len(self._tasks):
            seen: set[str] = set()
            twice = next(t.id for t in self._tasks if t.id in seen or seen.add(t.id))  # type: ignore[func-returns-value]
            raise DataError(f"task id {twice!r} appears more than once; ids must be unique")
        self.size = len(self._tasks)

    def __getitem__(self, index: int) -> Task:
        return self._tasks[index]

    def get(self, task_id: str) -> Task:
        """Return the task with this id."""
        if task_id not in self._by_id:
            raise ConfigError(f"no task {task_id!r} among the {self.size} tasks loaded")
        return self._by_id[task_id]


Problem = Mapping[str, Any]
"""What a generator returns: keyword fields of `Task` but `id`, `split`, `seed`; plus `key`, the canonical content."""


class ProceduralTaskSet(TaskSet):
    """An infinite set made by a generator, split by content.

    `generate(rng)` returns the fields `prompt`, `target` and, where useful, `tags`, `difficulty`, `metadata`. The
    optional field `key` names the content that decides the split (default: the prompt). Candidates of the other
    split are skipped, so a problem of one split can never appear in the other.

    Ids are `<name>/<split>/<index>`: regenerating from the id gives the same task.
    """

    _MAX_ATTEMPTS = 10_000

    def __init__(self, name: str, split: Split, generate: Callable[[np.random.Generator], Problem]) -> None:
        if split not in ("train", "eval"):
            raise ConfigError(f"unknown split {split!r} of {name}; use 'train' or 'eval'")
        self.name, self.split, self._generate = name, split, generate

    def __getitem__(self, index: int) -> Task:
        if index < 0:
            raise IndexError("a task index is not negative")
        for attempt in range(self._MAX_ATTEMPTS):
            seed = derive_seed(self.split, self.name, index, attempt)
            problem = dict(self._generate(np.random.Generator(np.random.PCG64(seed))))
            key = problem.pop("key", None) or str(problem["prompt"])
            if split_of(str(key)) == self.split:
                return Task(id=f"{self.name}/{self.split}/{index}", split=self.split, seed=seed, **problem)
        raise ConfigError(f"{self.name}: the generator makes too few different problems to fill split {self.split!r}")

    def get(self, task_id: str) -> Task:
        """Regenerate the task with this id."""
        prefix, _, index = task_id.rpartition("/")
        if prefix != f"{self.name}/{self.split}" or not index.isdigit():
            raise ConfigError(
                f"no task {task_id!r} in {self.name}/{self.split}; ids look like {self.name}/{self.split}/0"
            )
        return self[int(index)]


def read_jsonl(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield `(line number, row)` of a JSONL file; `DataError` with `file:line` for a row that is no JSON object."""
    try:
        handle = open(path, encoding="utf-8")  # noqa: SIM115 - closed by the with below
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", path=str(path)) from None
    with handle:
        try:
            for number, line in enumerate(handle, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except json.JSONDecodeError as error:
                    raise DataError(
                        f"not JSON ({error.msg} at column {error.colno})", path=str(path), line=number
                    ) from None
                if not isinstance(row, dict):
                    raise DataError(
                        f"a row must be a JSON object, not {type(row).__name__}", path=str(path), line=number
                    )
                yield number, row
        except UnicodeDecodeError as error:
            raise DataError(f"not UTF-8 text ({error.reason})", path=str(path)) from None


def read_rows(source: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield `(row number, row)` of a JSONL or Parquet file or of a Hugging Face dataset.

    `hf://owner/name[/config]:split` names a dataset (needs the `datasets` package). Rows are numbered from 1.
    """
    text = str(source)
    if text.startswith("hf://"):
        yield from _hugging_face_rows(text)
    elif text.endswith(".parquet"):
        yield from _parquet_rows(text)
    elif text.endswith((".jsonl", ".ndjson")):
        yield from read_jsonl(text)
    else:
        raise DataError("unknown kind of data file; use .jsonl, .parquet or hf://owner/name:split", path=text)


def _parquet_rows(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise ConfigError("reading Parquet needs pyarrow: pip install 'assay-rl[data]'") from None
    try:
        table = pq.ParquetFile(path)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read as Parquet: {str(error).splitlines()[0]}", path=path) from None
    number = 0
    for batch in table.iter_batches():
        for row in batch.to_pylist():
            number += 1
            yield number, row


def _hugging_face_rows(source: str) -> Iterator[tuple[int, dict[str, Any]]]:
    name, _, split = source.removeprefix("hf://").partition(":")
    try:
        import datasets
    except ImportError:
        raise ConfigError("reading Hugging Face datasets needs: pip install 'assay-rl[data]'") from None
    owner, _, rest = name.partition("/")
    repo, _, config = rest.partition("/")
    try:
        rows = datasets.load_dataset(f"{owner}/{repo}", config or None, split=split or "train")
    except Exception as error:  # noqa: BLE001 - the library raises a dozen unrelated types for one thing: not to be had
        raise DataError(f"cannot be loaded: {str(error).splitlines()[0]}", path=source) from None
    for number, row in enumerate(rows, 1):
        yield number, dict(row)


def content_id(*fields: Any) -> str:
    """Return a stable id for a row that brings none: a hash of its content."""
    return short_hash(json.dumps(fields, sort_keys=True, ensure_ascii=False, default=str))


def load_tasks(
    source: str | Path,
    convert: Callable[[dict[str, Any]], Task],
    *,
    limit: int | None = None,
) -> TaskList:
    """Read a file or dataset into tasks. A row that `convert` refuses raises `DataError` with `file:line`."""
    tasks: list[Task] = []
    for number, row in read_rows(source):
        if limit is not None and len(tasks) >= limit:
            break
        try:
            tasks.append(convert(row))
        except (KeyError, TypeError, ValueError) as error:
            what = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
            raise DataError(what, path=str(source), line=number) from None
    if not tasks:
        raise DataError("holds no rows", path=str(source))
    return TaskList(tasks)


def of_split(tasks: Iterable[Task], split: str | None, source: str | Path) -> TaskList:
    """Return the tasks of a split, all of them for None and `all`. `DataError` when the source has none of it."""
    chosen = [task for task in tasks if split in (None, "all", task.split)]
    if not chosen:
        raise DataError(f"holds no rows of split {split!r}", path=str(source))
    return TaskList(chosen)


def concatenate(sets: Sequence[TaskSet]) -> TaskList:
    """Join sized task sets."""
    return TaskList(task for tasks in sets for task in tasks)
