"""TantivyIndex: BM25 by tantivy (Rust), the faster one to build for a large corpus."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.core.errors import ConfigError
from assay.envs.search.index import pick
from assay.envs.search.passages import Passage, words_of, words_of_passage

_HEAP_BYTES = 100_000_000


class TantivyIndex:
    """BM25 with k1 = 1.2 and b = 0.75 over the same words as `Bm25Index`, but with lengths rounded by Lucene's norms.

    With a `directory` the index is written there and memory-mapped; otherwise it is in memory. One thread writes it,
    so that the same passages give the same order.
    """

    def __init__(self, passages: Sequence[Passage], directory: str | Path | None = None) -> None:
        tantivy = _tantivy()
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("words", tokenizer_name="whitespace", index_option="freq")
        schema.add_unsigned_field("place", stored=True)
        if directory is None:
            self._index = tantivy.Index(schema.build())
        else:
            Path(directory).mkdir(exist_ok=True)
            self._index = tantivy.Index(schema.build(), str(directory))
        writer = self._index.writer(heap_size=_HEAP_BYTES, num_threads=1)
        for place, passage in enumerate(passages):
            writer.add_document(tantivy.Document(words=" ".join(words_of_passage(passage)), place=place))
        writer.commit()
        writer.wait_merging_threads()
        self._open(passages)

    def _open(self, passages: Sequence[Passage]) -> None:
        self.passages = passages
        self._index.reload()
        self._searcher = self._index.searcher()

    def search(self, query: str, k: int) -> list[Passage]:
        """Return at most `k` passages that share a word with the query."""
        tantivy = _tantivy()
        schema = self._index.schema
        terms = [
            (tantivy.Occur.Should, tantivy.Query.term_query(schema, "words", word, "freq"))
            for word in dict.fromkeys(words_of(query))
        ]
        if not terms:
            return []
        hits = self._searcher.search(tantivy.Query.boolean_query(terms), k, count=False).hits
        return pick(self.passages, [self._searcher.doc(address)["place"][0] for _, address in hits])

    @classmethod
    def load(cls, directory: str | Path, passages: Sequence[Passage]) -> TantivyIndex:
        """Open an index that was made with a `directory`."""
        index = cls.__new__(cls)
        index._index = _tantivy().Index.open(str(directory))
        index._open(passages)
        return index


def _tantivy() -> Any:
    try:
        import tantivy
    except ImportError:
        raise ConfigError("this index needs tantivy: pip install 'assay-rl[search]'") from None
    return tantivy
