"""Every index finds what its formula says, the same again from the disk, and says clearly what it cannot do."""

import json
import multiprocessing

import httpx
import numpy as np
import pytest

from assay.core.errors import ConfigError, DataError, Fault, SchemaError
from assay.envs.search import (
    Bm25Index,
    OpenSearchIndex,
    Passage,
    QdrantIndex,
    TantivyIndex,
    VectorIndex,
    build_index,
    open_index,
)
from assay.envs.search.passages import PassageFile, words_of

ANIMALS = [
    Passage("a", "Fox", "The red fox runs. Red!"),
    Passage("b", "Dog", "A red dog sleeps \u00fcber \U0001f600 \ud800."),
    Passage("c", "Bird", "Blue birds sing"),
    Passage("d", "", "nothing"),
]


def letters(texts):
    """A toy encoder: how often each letter occurs."""
    return [[text.lower().count(chr(97 + i)) for i in range(26)] for text in texts]


def ids(found):
    return [passage.id for passage in found]


def test_bm25_against_its_formula():
    passages = [Passage("a", "", "red fox red"), Passage("b", "", "red dog"), Passage("c", "", "blue bird sings")]
    index, texts = Bm25Index(passages), [words_of(p.text) for p in passages]
    mean = np.mean([len(t) for t in texts])

    def score(query, words):
        total = 0.0
        for word in query:
            n, f = sum(word in t for t in texts), words.count(word)
            total += np.log(1 + (3 - n + 0.5) / (n + 0.5)) * f / (f + 1.2 * (1 - 0.75 + 0.75 * len(words) / mean))
        return total

    for query in (["red"], ["red", "dog"], ["bird", "fox"]):
        want = sorted((p for p, t in zip(passages, texts, strict=True) if score(query, t) > 0), key=lambda p: p.id)
        want.sort(key=lambda p: -score(query, words_of(p.text)))
        assert index.search(" ".join(query).upper(), 3) == want
    assert index.search("nothing here", 3) == [] == Bm25Index([]).search("red", 3)
    assert [p.id for p in Bm25Index([Passage(str(i), "", "same") for i in range(9)]).search("same", 3)] == [
        "0",
        "1",
        "2",
    ]


def test_tantivy_ranks_as_bm25s_does():
    rng = np.random.default_rng(0)
    passages = [Passage(str(i), "", " ".join(f"w{w}" for w in rng.zipf(1.5, 30) % 300)) for i in range(200)]
    ours, theirs = Bm25Index(passages), TantivyIndex(passages)
    shared = [len({*ids(ours.search(q, 10))} & {*ids(theirs.search(q, 10))}) for q in (p.text for p in passages[:20])]
    assert np.mean(shared) > 8  # tantivy rounds the lengths of passages
    assert theirs.search("", 3) == theirs.search("absent", 3) == []
    assert ids(theirs.search('" AND w1 -w2 (', 3))  # nothing of a query is syntax


def test_vectors_rank_by_cosine(tmp_path):
    index = VectorIndex(ANIMALS, letters, tmp_path)
    vectors = np.array(letters([f"{p.title}: {p.text}" for p in ANIMALS]), dtype=float)
    query = np.array(letters(["red fox"])[0], dtype=float)
    cosine = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    assert ids(index.search("red fox", 3)) == [ANIMALS[i].id for i in np.argsort(-cosine)[:3]]
    assert index.search("12", 3) == [] == VectorIndex([], letters).search("red", 3)
    many = [Passage(str(i), "", "x" * (i + 1)) for i in range(600)]
    with pytest.raises(ConfigError, match="different lengths"):
        VectorIndex(many, lambda texts: np.ones((len(texts), 2 if len(texts) == 256 else 3)))
    with pytest.raises(ConfigError, match="the encoder must return 1 finite"):
        VectorIndex(ANIMALS[:1], lambda texts: [[float("nan")]])
    with pytest.raises(ConfigError, match="gives 2 numbers, and the index has 26"):
        VectorIndex.load(tmp_path, ANIMALS, lambda texts: [[1.0, 2.0]] * len(texts)).search("red", 1)


@pytest.mark.parametrize("engine", ["bm25", "tantivy", "vectors"])
def test_an_index_on_the_disk_finds_the_same_and_reads_rows_or_passages(tmp_path, engine):
    encode = letters if engine == "vectors" else None
    built = build_index(ANIMALS, tmp_path / "index", engine=engine, encode=encode)
    opened = open_index(tmp_path / "index", encode=encode)
    for query in ("red", "blue bird", "sleeps fox", "zebra99"):
        assert built.search(query, 2) == opened.search(query, 2)
    assert opened.search("dog sleeps \u00fcber", 1) == [ANIMALS[1]]
    assert (
        list(opened.passages) == ANIMALS and opened.passages[-1] == ANIMALS[3] and opened.passages[1:3] == ANIMALS[1:3]
    )
    with pytest.raises(ConfigError, match="exists"):
        build_index(ANIMALS, tmp_path / "index")


def _ask(path, queue):
    queue.put([p.id for p in open_index(path).search("red", 2)])


def test_processes_share_an_index(tmp_path):
    build_index(ANIMALS, tmp_path / "index")
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue()
    process = spawn.Process(target=_ask, args=(tmp_path / "index", queue))
    process.start()
    assert queue.get(timeout=60) == ids(open_index(tmp_path / "index").search("red", 2))
    process.join()
    assert isinstance(open_index(tmp_path / "index")._model.scores["data"], np.memmap)


def test_an_index_that_cannot_be_built_leaves_nothing(tmp_path):
    (tmp_path / "c.jsonl").write_text('{"text": "good"}\n{"id": 2}\n')
    with pytest.raises(DataError, match=r"c.jsonl:2: a passage needs"):
        build_index(tmp_path / "c.jsonl", tmp_path / "index")
    with pytest.raises(DataError, match="no passages"):
        build_index([], tmp_path / "index")
    for options in ({"engine": "vectors"}, {"encode": letters}, {"engine": "faiss"}):
        with pytest.raises(ConfigError):
            build_index(ANIMALS, tmp_path / "index", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["c.jsonl"]


def test_what_is_no_index_is_named(tmp_path):
    with pytest.raises(DataError, match="is no index"):
        open_index(tmp_path)
    build_index(ANIMALS, tmp_path / "v", engine="vectors", encode=letters)
    with pytest.raises(ConfigError, match="encode"):
        open_index(tmp_path / "v")
    (tmp_path / "v" / "index.json").write_text(json.dumps({"format": 9, "engine": "bm25"}))
    with pytest.raises(SchemaError, match="newer"):
        open_index(tmp_path / "v")
    with pytest.raises(IndexError):
        PassageFile(tmp_path / "v")[4]


def served(answer, status=200):
    """A client whose server always gives this answer, and the requests that it got."""
    seen = []

    def handle(request):
        seen.append((request.url.path, json.loads(request.content)))
        return httpx.Response(status, json=answer)

    return httpx.Client(transport=httpx.MockTransport(handle)), seen


def test_opensearch_at_the_wire():
    hits = {"hits": {"hits": [{"_id": 7, "_score": 1.5, "_source": {"title": "Moon", "text": "Armstrong walked."}}]}}
    client, seen = served(hits)
    found = OpenSearchIndex("http://search:9200/", "wiki", client=client).search("moon", 3)
    assert found == [Passage("7", "Moon", "Armstrong walked.")]
    ((path, body),) = seen
    assert path == "/wiki/_search" and body["size"] == 3
    assert body["query"] == {"multi_match": {"query": "moon", "fields": ["title", "text"]}}


def test_qdrant_at_the_wire():
    points = {"result": {"points": [{"id": 7, "score": 0.5, "payload": {"text": "Armstrong walked."}}]}}
    client, seen = served(points)
    found = QdrantIndex("http://search:6333", "wiki", letters, client=client).search("aab", 2)
    assert found == [Passage("7", "", "Armstrong walked.")]
    ((path, body),) = seen
    assert path == "/collections/wiki/points/query" and body["limit"] == 2 and body["with_payload"] is True
    assert body["query"][:2] == pytest.approx([2 / 5**0.5, 1 / 5**0.5])


@pytest.mark.parametrize(("answer", "status"), [({"error": "x"}, 500), ({}, 200), ({"hits": None}, 200)])
def test_a_server_that_fails_is_a_fault(answer, status):
    with pytest.raises(Fault, match="search at http://s"):
        OpenSearchIndex("http://s", "i", client=served(answer, status)[0]).search("q", 1)
    with pytest.raises(Fault, match="search at http://s"):
        QdrantIndex("http://s", "i", letters, client=served(answer, status)[0]).search("q", 1)
