"""Indexes on the disk: built once from a corpus file, then memory-mapped by every process that searches.

build_index("wiki.jsonl", "wiki.index")                                   # bm25s
assay.make("assay/SearchQA-v0", data="questions.jsonl", corpus="wiki.index")
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkdtemp
from typing import Literal, get_args

from assay.core.errors import ConfigError, DataError, SchemaError
from assay.envs.search.bm25 import Bm25Index
from assay.envs.search.index import Index
from assay.envs.search.passages import Passage, PassageFile
from assay.envs.search.rows import read_corpus
from assay.envs.search.tantivy import TantivyIndex
from assay.envs.search.vectors import Encoder, VectorIndex

Engine = Literal["bm25", "tantivy", "vectors"]
_FORMAT = 1
_ABOUT = "index.json"


def build_index(
    corpus: str | Path | Iterable[Passage],
    directory: str | Path,
    *,
    engine: Engine = "bm25",
    encode: Encoder | None = None,
) -> Index:
    """Index a corpus and keep it in a new directory, which appears when it is complete.

    Args:
        corpus: A file of rows with `text` (or `contents`) and optionally `id` and `title` (JSONL, Parquet,
            `hf://owner/name:split`), or passages.
        directory: Where; must not exist.
        engine: `bm25` (bm25s), `tantivy` (faster to build), or `vectors`, which needs `encode`.
        encode: Texts -> vectors.
    """
    if engine not in get_args(Engine):
        raise ConfigError(f"unknown engine {engine!r}; use one of {', '.join(get_args(Engine))}")
    if (encode is None) == (engine == "vectors"):
        raise ConfigError("the engine 'vectors' needs 'encode', and no other engine takes it")
    target = Path(directory)
    if target.exists():
        raise ConfigError(f"{target} exists; choose another directory, or remove it")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        passages = PassageFile.write(draft, read_corpus(corpus) if isinstance(corpus, str | Path) else corpus)
        if engine == "bm25":
            Bm25Index(passages).save(draft)
        elif engine == "tantivy":
            TantivyIndex(passages, draft / "tantivy")
        elif encode is not None:
            VectorIndex(passages, encode, draft)
        (draft / _ABOUT).write_text(json.dumps({"format": _FORMAT, "engine": engine, "passages": len(passages)}))
        draft.chmod(0o755)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return open_index(target, encode=encode)


def open_index(directory: str | Path, *, encode: Encoder | None = None) -> Index:
    """Open a directory that `build_index` made; `encode` for vectors, the same as then."""
    path = Path(directory)
    try:
        about = json.loads((path / _ABOUT).read_text())
        engine, version = about["engine"], int(about["format"])
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError("is no index; make one with assay.envs.search.build_index", path=str(path)) from None
    if version > _FORMAT:
        raise SchemaError(f"{path} was written by a newer assay (format {version}; this one knows {_FORMAT})")
    passages = PassageFile(path)
    if engine == "bm25":
        return Bm25Index.load(path, passages)
    if engine == "tantivy":
        return TantivyIndex.load(path / "tantivy", passages)
    if encode is None:
        raise ConfigError(f"{path} holds vectors: open it with open_index(..., encode=...)")
    return VectorIndex.load(path, passages, encode)
