"""A tree of files as data, and as the tar archive that travels between jobs.

A `Tree` maps relative paths to nodes, JSON values of four kinds: `{"text": ...}` (with `mode` where it matters),
`{"members": {path: text}}` for an archive (its format is that of the name), `{"link": target}`, and `{"dir": true}`
for a directory; directories that hold something need no node.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from assay.core.errors import ConfigError

Node = Mapping[str, Any]
Tree = Mapping[str, Node]

_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(tree: Tree) -> bytes:
    """Return a tree as a tar archive; the same tree gives the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, node in sorted(with_directories(tree).items()):
            entry = tarfile.TarInfo(path)
            if "dir" in node:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            elif "link" in node:
                entry.type, entry.linkname = tarfile.SYMTYPE, node["link"]
                archive.addfile(entry)
            else:
                content = archive_of(path, node["members"]) if "members" in node else node["text"].encode()
                entry.size, entry.mode = len(content), node.get("mode", 0o644)
                archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def archive_of(path: str, members: Mapping[str, str]) -> bytes:
    """Return a `.tar` or `.zip` archive."""
    buffer = io.BytesIO()
    if path.endswith(".zip"):
        with zipfile.ZipFile(buffer, "w") as zipped:
            for name, text in members.items():
                zipped.writestr(zipfile.ZipInfo(name, _EPOCH), text)
    elif path.endswith(".tar"):
        buffer.write(pack({name: {"text": text} for name, text in members.items()}))
    else:
        raise ConfigError(f"{path!r} must end in .tar or .zip")
    return buffer.getvalue()


def with_directories(tree: Tree) -> dict[str, Node]:
    """Return the tree with a node for every directory."""
    found: dict[str, Node] = {}
    for path, node in tree.items():
        for parent in PurePosixPath(path).parents:
            if str(parent) != ".":
                found[str(parent)] = {"dir": True}
        found[path] = node
    return found


def differences(expected: Tree, found: Tree) -> list[str]:
    """Return how a tree that was read differs from the expected one, sorted by path.

    White space at the ends of lines and of the file does not count; modes count where one is expected; times and owners
    never do.
    """
    wanted = with_directories(expected)
    problems = [f"{path}: is missing" for path in wanted.keys() - found.keys()]
    problems += [f"{path}: should not be there" for path in found.keys() - wanted.keys()]
    for path in wanted.keys() & found.keys():
        want, have = wanted[path], found[path]
        kind = next(kind for kind in ("text", "members", "link", "dir") if kind in want)
        if kind not in have:
            problems.append(f"{path}: is no {'file' if kind == 'text' else kind}")
        elif _plain(want[kind]) != _plain(have[kind]):
            problems.append(f"{path}: has other content")
        elif "mode" in want and want["mode"] != have.get("mode"):
            problems.append(f"{path}: has mode {have.get('mode', 0):o} instead of {want['mode']:o}")
    return sorted(problems)


def _plain(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {name: _plain(text) for name, text in content.items()}
    if not isinstance(content, str):
        return content
    return "\n".join(line.rstrip() for line in content.splitlines()).rstrip()
