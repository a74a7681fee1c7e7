"""Environments in which the agent searches, and indexes to search in."""

from assay.envs.search.bm25 import Bm25Index
from assay.envs.search.build import build_index, open_index
from assay.envs.search.index import Index
from assay.envs.search.passages import Passage
from assay.envs.search.remote import OpenSearchIndex, QdrantIndex
from assay.envs.search.tantivy import TantivyIndex
from assay.envs.search.vectors import VectorIndex

__all__ = [
    "Bm25Index",
    "Index",
    "OpenSearchIndex",
    "Passage",
    "QdrantIndex",
    "TantivyIndex",
    "VectorIndex",
    "build_index",
    "open_index",
]
