"""Families of errands: each lays out files, says what to do, and knows the files afterwards and a command that does it.

The expected files are computed here, in Python, and never by running the command.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.envs.tools.shell.tree import Node, Tree

_WORDS = (
    "alder", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "inlet", "jade", "knoll", "lagoon", "maple",
    "north", "ocean", "pine", "quartz", "ridge", "slate", "tide", "upland", "vale", "willow", "yarrow",
    "basin", "cliff", "delta", "field", "glade", "hazel", "isle", "kelp", "larch", "marsh", "oasis", "poplar",
)  # fmt: skip
_LEVELS = ("INFO", "WARN", "ERROR", "DEBUG")


@dataclass(frozen=True, slots=True)
class Errand:
    """One task."""

    request: str
    before: Tree
    after: Tree
    solution: str


class Scene:
    """What the families draw from: names and places that get harder with the level."""

    def __init__(self, rng: np.random.Generator, level: int) -> None:
        self.rng, self.level = rng, level
        self._words = [_WORDS[i] for i in rng.permutation(len(_WORDS)).tolist()]

    def below(self, low: int, high: int) -> int:
        """Return a whole number in [low, high)."""
        return int(self.rng.integers(low, high))

    def pick(self, pool: Sequence[Any]) -> Any:
        """Return a member."""
        return pool[self.below(0, len(pool))]

    def word(self) -> str:
        """Return a word that was not used yet; on level 3 some names have two, with a blank between."""
        word = self._words.pop()
        return f"{word} {self._words.pop()}" if self.level == 3 and self.rng.random() < 0.3 else word

    def path(self, ending: str) -> str:
        """Return a new path; above level 1 it may lie in a directory, or two."""
        depth = 0 if self.level == 1 else self.below(0, 3)
        return "/".join([*(self.pick(("src", "data", "old", "lib")) for _ in range(depth)), self.word()]) + ending

    def some(self, ending: str, low: int = 2, high: int = 4) -> list[str]:
        """Return a few new paths."""
        return [self.path(ending) for _ in range(self.below(low, high + 1))]

    def text(self) -> Node:
        """Return a file of a few words."""
        return {"text": "".join(f"{self.pick(_WORDS)} {self.below(1, 100)}\n" for _ in range(self.below(1, 5)))}

    def files(self, *endings: str) -> dict[str, Node]:
        """Return a few files with each of these endings."""
        return {path: self.text() for ending in endings for path in self.some(ending)}

    def log(self, low: int = 8, high: int = 20) -> list[tuple[str, str]]:
        """Return lines of a log: (level, word)."""
        return [(self.pick(_LEVELS), self.pick(_WORDS)) for _ in range(self.below(low, high))]


def _delete(scene: Scene) -> Errand:
    ending = scene.pick((".tmp", ".bak", ".old"))
    before = scene.files(ending, ".txt", f"{ending}.txt")
    after = {path: node for path, node in before.items() if not path.endswith(ending)}
    after |= _emptied(before, after)
    return Errand(
        f"Delete every file whose name ends in {ending}, wherever it is. Keep the directories.",
        before, after, f"find . -type f -name '*{ending}' -delete",
    )  # fmt: skip


def _rename(scene: Scene) -> Errand:
    old, new = scene.pick(((".txt", ".md"), (".jpeg", ".jpg"), (".yml", ".yaml"), (".htm", ".html")))
    before = scene.files(old, ".csv", f"{old}.gz")
    after = {path.removesuffix(old) + new if path.endswith(old) else path: node for path, node in before.items()}
    return Errand(
        f"Rename every file whose name ends in {old} so that it ends in {new} instead.",
        before, after, f"find . -type f -name '*{old}' -exec bash -c 'mv \"$0\" \"${{0%{old}}}{new}\"' {{}} \\;",
    )  # fmt: skip


def _move(scene: Scene) -> Errand:
    word = scene.pick(("URGENT", "PAID", "DRAFT"))
    before: dict[str, Node] = scene.files(".txt")
    chosen = {path: {"text": f"{scene.text()['text']}{word} {scene.below(1, 99)}\n"} for path in scene.some(".txt")}
    decoy = {path: {"text": f"{word.lower()} only\n"} for path in scene.some(".txt", 1, 1)}
    before |= {**chosen, **decoy}
    after = {f"{word}/{path.rsplit('/', 1)[-1]}" if path in chosen else path: node for path, node in before.items()}
    after |= _emptied(before, after)
    return Errand(
        f"Make a directory {word} and move every file into it that contains the word {word} in capital letters. "
        "Keep the other directories.",
        before, after, f"mkdir {word} && grep -rlZ {word} . --exclude-dir={word} | xargs -0 -I{{}} mv {{}} {word}/",
    )  # fmt: skip


def _count(scene: Scene) -> Errand:
    level, path, lines = scene.pick(_LEVELS), scene.path(".log"), scene.log()
    decoy = [(scene.pick(_LEVELS), level) for _ in range(scene.below(1, 4) * (scene.level > 1))]
    before = {path: _lines(f"{kind} {word}" for kind, word in lines + decoy)}
    number = sum(kind == level for kind, _ in lines + decoy)
    return Errand(
        f"Count the lines of '{path}' that begin with {level}, and write the number into the file answer.txt.",
        before, {**before, "answer.txt": _lines([number])}, f"grep -c '^{level} ' '{path}' > answer.txt || true",
    )  # fmt: skip


def _column(scene: Scene) -> Errand:
    path, field = scene.path(".csv"), scene.below(1, 4)
    rows = [[scene.pick(_WORDS), str(scene.below(1, 99)), scene.pick(_WORDS)] for _ in range(scene.below(4, 9))]
    before = {path: _lines(",".join(row) for row in rows)}
    wanted = [row[field - 1] for row in rows]
    return Errand(
        f"Write column {field} of '{path}', whose fields are separated by commas, into column.txt, in the same order.",
        before, {**before, "column.txt": _lines(wanted)}, f"cut -d, -f{field} '{path}' > column.txt",
    )  # fmt: skip


def _archive(scene: Scene) -> Errand:
    ending, folder = scene.pick((".tar.gz", ".tar")), scene.word()
    inside = {f"{folder}/{path}": node for path, node in scene.files(".txt").items()}
    before = {**inside, **scene.files(".cfg")}
    packed = {"members": {path: node["text"] for path, node in inside.items()}}
    kind = "a gzipped tar archive" if ending == ".tar.gz" else "a tar archive"
    return Errand(
        f"Pack the directory '{folder}' into {kind} backup{ending}, with '{folder}/' at the front of the names in it. "
        "Keep the directory.",
        before, {**before, f"backup{ending}": packed}, f"tar -caf backup{ending} '{folder}'",
    )  # fmt: skip


def _unpack(scene: Scene) -> Errand:
    path, folder = scene.path(".tar"), scene.pick(("restored", "out"))
    members = {f"{scene.word()}.txt": str(scene.text()["text"]) for _ in range(3)}
    before: dict[str, Node] = {path: {"members": members}, **scene.files(".txt")}
    after: dict[str, Node] = {name: node for name, node in before.items() if name != path}
    after |= {f"{folder}/{name}": {"text": text} for name, text in members.items()}
    after |= _emptied(before, after)
    return Errand(
        f"Make a directory {folder}, unpack the archive '{path}' into it, and then delete the archive.",
        before, after, f"mkdir {folder} && tar -xf '{path}' -C {folder} && rm '{path}'",
    )  # fmt: skip


def _permit(scene: Scene) -> Errand:
    before: dict[str, Node] = {path: {"text": "#!/bin/sh\necho ok\n", "mode": 0o644} for path in scene.some(".sh")}
    before |= {path: {"text": "key = 1\n", "mode": 0o644} for path in scene.some(".conf")}
    mode = scene.pick((0o755, 0o700, 0o500))
    after = {path: {**node, "mode": mode} if path.endswith(".sh") else node for path, node in before.items()}
    return Errand(
        f"Give every file whose name ends in .sh the permissions {mode:o}.",
        before, after, f"find . -type f -name '*.sh' -exec chmod {mode:o} {{}} +",
    )  # fmt: skip


def _replace(scene: Scene) -> Errand:
    old, new = f"{scene.pick(_WORDS)}.example.org", f"{scene.pick(_WORDS)}.example.net"
    text = f"server = {old}\nport = {scene.below(1000, 9000)}\nmirror = {old}\n"
    before: dict[str, Node] = {path: {"text": text} for path in [*scene.some(".conf"), *scene.some(".txt", 1, 2)]}
    after = {
        path: {"text": text.replace(old, new)} if path.endswith(".conf") else node for path, node in before.items()
    }
    return Errand(
        f"Replace {old} by {new} everywhere in the files whose names end in .conf, and in no others.",
        before, after, f"find . -name '*.conf' -exec sed -i 's/{old}/{new}/g' {{}} +",
    )  # fmt: skip


def _distinct(scene: Scene) -> Errand:
    path = scene.path(".txt")
    words = [scene.pick(_WORDS[:9]) for _ in range(scene.below(8, 16))]
    before = {path: _lines(words)}
    return Errand(
        f"Write the lines of '{path}' into sorted.txt, in alphabetical order, each different line once.",
        before, {**before, "sorted.txt": _lines(sorted(set(words)))}, f"sort -u '{path}' > sorted.txt",
    )  # fmt: skip


def _total(scene: Scene) -> Errand:
    name = scene.pick(_WORDS)
    sales = {
        path: [(scene.pick((name, "zinc", "onyx")), scene.below(1, 500)) for _ in range(scene.below(4, 9))]
        for path in scene.some(".csv", 1 if scene.level == 1 else 2, 1 if scene.level == 1 else 3)
    }
    before = {path: _lines(f"{who},{what}" for who, what in rows) for path, rows in sales.items()}
    answer = sum(what for rows in sales.values() for who, what in rows if who == name)
    command = f"find . -name '*.csv' -exec cat {{}} + | awk -F, '$1 == \"{name}\" {{ s += $2 }} END {{ print s + 0 }}'"
    return Errand(
        f"Each line of the .csv files is a name, a comma and an amount. Write the sum of all amounts of {name} into "
        "total.txt.",
        before, {**before, "total.txt": _lines([answer])}, f"{command} > total.txt",
    )  # fmt: skip


def _largest(scene: Scene) -> Errand:
    paths = scene.some(".dat", 3, 5)
    sizes = scene.rng.permutation(np.arange(1, 40))[: len(paths)].tolist()
    before: dict[str, Node] = {path: {"text": "x" * 7 * size} for path, size in zip(paths, sizes, strict=True)}
    big = paths[int(np.argmax(sizes))]
    after = {"largest.dat" if path == big else path: node for path, node in before.items()}
    after |= _emptied(before, after)
    find = "find . -name '*.dat' -printf '%s %p\\n' | sort -rn | head -1 | cut -d' ' -f2-"
    return Errand(
        "Move the largest of the .dat files here, to largest.dat. Keep the directories.",
        before, after, f'mv "$({find})" largest.dat',
    )  # fmt: skip


def _link(scene: Scene) -> Errand:
    numbers = sorted(scene.rng.permutation(np.arange(1, 14))[: scene.below(3, 6)].tolist())
    before: dict[str, Node] = {f"releases/v{n}/notes.txt": scene.text() for n in numbers}
    return Errand(
        "Make a symbolic link named current to the directory of the latest release, as a relative path; v10 is later "
        "than v9.",
        before, {**before, "current": {"link": f"releases/v{numbers[-1]}"}},
        'ln -s "releases/$(ls releases | sort -V | tail -1)" current',
    )  # fmt: skip


def _merge(scene: Scene) -> Errand:
    n, stem = scene.below(3, 5) if scene.level == 1 else scene.below(10, 13), scene.word()
    parts = [str(scene.text()["text"]) for _ in range(n)]
    before: dict[str, Node] = {f"{stem}.part{i}": {"text": part} for i, part in enumerate(parts, 1)}
    return Errand(
        f"Join the files '{stem}.part1', '{stem}.part2' and so on, in the order of their numbers, into '{stem}.txt', "
        "and delete the parts.",
        before, {f"{stem}.txt": {"text": "".join(parts)}},
        f"for i in $(seq {n}); do cat '{stem}'.part$i; done > '{stem}.txt' && rm '{stem}'.part*",
    )  # fmt: skip


def _frequent(scene: Scene) -> Errand:
    path, lines = scene.path(".log"), scene.log(9, 16)
    word = scene.pick(_WORDS)
    lines += [(scene.pick(_LEVELS), word)] * (max(Counter(other for _, other in lines).values()) + 1)
    lines = [lines[i] for i in scene.rng.permutation(len(lines)).tolist()]
    before = {path: _lines(" ".join(line) for line in lines)}
    (answer, _), *_ = Counter(other for _, other in lines).most_common(1)
    return Errand(
        f"Which word is the second one in most lines of '{path}'? Write it into answer.txt.",
        before, {**before, "answer.txt": _lines([answer])},
        f"awk '{{ print $2 }}' '{path}' | sort | uniq -c | sort -rn | awk 'NR == 1 {{ print $2 }}' > answer.txt",
    )  # fmt: skip


FAMILIES: dict[str, Callable[[Scene], Errand]] = {
    family.__name__.removeprefix("_"): family
    for family in (
        _delete, _rename, _move, _count, _column, _archive, _unpack, _permit, _replace, _distinct, _total, _largest,
        _link, _merge, _frequent,
    )
}  # fmt: skip


def _lines(lines: Any) -> Node:
    return {"text": "".join(f"{line}\n" for line in lines)}


def _emptied(before: Tree, after: Tree) -> dict[str, Node]:
    """Return the directories of `before` that hold nothing any more; they stay."""
    parents = {path.rsplit("/", depth)[0] for path in before for depth in range(1, path.count("/") + 1)}
    return {parent: {"dir": True} for parent in parents if not any(path.startswith(f"{parent}/") for path in after)}
