"""Passages, in memory or in a file that all processes of a machine share.

A `PassageFile` is two files in a directory: `passages.jsonl`, one `[id, title, text]` a line, and `offsets.npy`, where
each line begins. Both are memory-mapped, so a corpus costs each process nothing but what it reads.
"""

from __future__ import annotations

import json
import mmap
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from assay.core.errors import DataError

_WORD = re.compile(r"[^\W_]+")
_LINES, _OFFSETS = "passages.jsonl", "offsets.npy"


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text that can be found and cited."""

    id: str
    title: str
    text: str

    def render(self) -> str:
        """Return the passage as the agent sees it."""
        return f"[{self.id}] {self.title}: {self.text}"


def words_of(text: str) -> list[str]:
    """Return the words of a text, without case."""
    return _WORD.findall(text.casefold())


def words_of_passage(passage: Passage) -> list[str]:
    """Return the words that a passage can be found by: those of its title and its text."""
    return words_of(f"{passage.title} {passage.text}")


class PassageFile(Sequence[Passage]):
    """The passages in a directory that `write` made. Read-only; safe to share between threads and processes."""

    def __init__(self, directory: str | Path) -> None:
        try:
            self._offsets = np.load(Path(directory, _OFFSETS), mmap_mode="r")
            with open(Path(directory, _LINES), "rb") as file:
                self._lines = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise DataError(f"holds no passages: {error}", path=str(directory)) from None

    @staticmethod
    def write(directory: str | Path, passages: Iterable[Passage]) -> PassageFile:
        """Write passages, one after another, and return them as they are now on the disk."""
        offsets = array("q", [0])
        with open(Path(directory, _LINES), "wb") as file:
            for passage in passages:
                line = json.dumps([passage.id, passage.title, passage.text], ensure_ascii=False) + "\n"
                offsets.append(offsets[-1] + file.write(line.encode("utf-8", "surrogatepass")))
        if len(offsets) == 1:
            raise DataError("there are no passages to index", path=str(directory))
        np.save(Path(directory, _OFFSETS), np.frombuffer(offsets, dtype=np.int64))
        return PassageFile(directory)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, place: int) -> Passage: ...
    @overload
    def __getitem__(self, place: slice) -> list[Passage]: ...
    def __getitem__(self, place: int | slice) -> Passage | list[Passage]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        start, end = self._offsets[place % len(self)], self._offsets[place % len(self) + 1]
        return Passage(*json.loads(self._lines[start:end].decode("utf-8", "surrogatepass")))

    def __iter__(self) -> Iterator[Passage]:
        return (self[i] for i in range(len(self)))
