"""Indexes on a server, over HTTP: OpenSearch (or Elasticsearch) for words, Qdrant for vectors.

Both speak the servers' documented search API and nothing else: filling a server is left to its own tools. They were
tested against fakes of these answers at the wire, not against live servers. A server that fails is a fault: the
episode ends without a verdict.
"""

from __future__ import annotations

from typing import Any

import httpx

from assay.core.errors import Fault
from assay.envs.search.passages import Passage
from assay.envs.search.vectors import Encoder, encode_texts


class _Server:
    """POSTs JSON to one address and takes JSON."""

    def __init__(self, url: str, headers: dict[str, str] | None, timeout: float, client: httpx.Client | None) -> None:
        self._url = url.rstrip("/")
        self._client = client or httpx.Client(timeout=timeout, headers=headers)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        try:
            answer = self._client.post(f"{self._url}{path}", json=body)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Fault(f"search at {self._url}: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close the connections. Idempotent."""
        self._client.close()


class OpenSearchIndex(_Server):
    """Full-text search in one index of OpenSearch or Elasticsearch (`POST /<index>/_search`, `multi_match`).

    Args:
        url: Of the server, such as `http://localhost:9200`.
        index: Name of the index, whose documents have the fields below.
        title, text: Names of the fields.
        headers: Such as an authorisation.
        timeout: Seconds.
        client: Instead of `headers` and `timeout`.
    """

    def __init__(
        self,
        url: str,
        index: str,
        *,
        title: str = "title",
        text: str = "text",
        headers: dict[str, str] | None = None,
        timeout: float = 10.0,
        client: httpx.Client | None = None,
    ) -> None:
        super().__init__(url, headers, timeout, client)
        self._index, self._title, self._text = index, title, text

    def search(self, query: str, k: int) -> list[Passage]:
        """Return at most `k` passages; the id is the document's."""
        fields = [self._title, self._text]
        found = self._post(
            f"/{self._index}/_search",
            {"size": k, "query": {"multi_match": {"query": query, "fields": fields}}, "_source": fields},
        )
        try:
            return [_passage(hit["_id"], hit["_source"], self._title, self._text) for hit in found["hits"]["hits"]]
        except (KeyError, TypeError) as error:
            raise Fault(f"search at {self._url}: the answer has no {error}") from error


class QdrantIndex(_Server):
    """Nearest vectors in one collection of Qdrant (`POST /collections/<name>/points/query`).

    Args:
        url: Of the server, such as `http://localhost:6333`.
        collection: Its name; the payload of each point has the fields below.
        encode: The encoder that made the vectors.
        title, text: Names of the fields.
        headers: Such as `{"api-key": ...}`.
        timeout: Seconds.
        client: Instead of `headers` and `timeout`.
    """

    def __init__(
        self,
        url: str,
        collection: str,
        encode: Encoder,
        *,
        title: str = "title",
        text: str = "text",
        headers: dict[str, str] | None = None,
        timeout: float = 10.0,
        client: httpx.Client | None = None,
    ) -> None:
        super().__init__(url, headers, timeout, client)
        self._collection, self._encode, self._title, self._text = collection, encode, title, text

    def search(self, query: str, k: int) -> list[Passage]:
        """Return at most `k` passages; the id is the point's."""
        vector = encode_texts(self._encode, [query])[0].tolist()
        body = {"query": vector, "limit": k, "with_payload": True}
        found = self._post(f"/collections/{self._collection}/points/query", body)
        try:
            points = found["result"]["points"]
            return [_passage(point["id"], point["payload"], self._title, self._text) for point in points]
        except (KeyError, TypeError) as error:
            raise Fault(f"search at {self._url}: the answer has no {error}") from error


def _passage(key: object, row: dict[str, Any], title: str, text: str) -> Passage:
    return Passage(str(key), str(row.get(title, "")), str(row[text]))
