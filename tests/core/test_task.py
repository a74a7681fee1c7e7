import json

import pytest

from assay.core.errors import ConfigError, DataError
from assay.core.kept import kept
from assay.core.message import system, user
from assay.core.task import (
    NO_LIMITS,
    Limits,
    ProceduralTaskSet,
    Task,
    TaskList,
    TaskSet,
    concatenate,
    content_id,
    load_tasks,
    read_jsonl,
    read_rows,
)


def generate(rng):
    a = int(rng.integers(10**9))
    return {"prompt": f"{a}?", "target": a, "tags": ("number",), "difficulty": 2.0}


def test_a_prompt_is_one_message_or_several():
    assert Task("t", "2+2").messages() == (user("2+2"),)
    prompt = (system("be brief"), user("2+2"))
    assert Task("t", prompt).messages() == prompt


def test_tasks_are_frozen():
    with pytest.raises(AttributeError):
        Task("t", "x").target = "leak"  # type: ignore[misc]


def test_the_tightest_of_two_limits():
    a, b = Limits(turns=3, tokens=100), Limits(turns=5, seconds=2.0, turn_tokens=7)
    assert a.tightest(b) == b.tightest(a) == Limits(turns=3, tokens=100, seconds=2.0, turn_tokens=7)
    assert a.tightest(NO_LIMITS) == NO_LIMITS.tightest(a) == a


def test_a_list_of_tasks():
    tasks = TaskList([Task("a", "1"), Task("b", "2")])
    assert (len(tasks), tasks.size, tasks[1].id, tasks.get("a").prompt) == (2, 2, "b", "1")
    assert [t.id for t in tasks] == ["a", "b"]
    assert [t.id for t in tasks.head(1)] == ["a"]
    assert tasks.head(9).size == 2
    with pytest.raises(ConfigError, match="no task 'c' among the 2"):
        tasks.get("c")
    with pytest.raises(DataError, match="'a' appears more than once"):
        TaskList([Task("a", "1"), Task("b", "2"), Task("a", "3")])
    assert [t.id for t in concatenate([tasks, TaskList([Task("c", "3")])])] == ["a", "b", "c"]


def test_a_procedural_set_is_endless_indexed_and_reproducible():
    tasks, again = (ProceduralTaskSet("n", "train", generate) for _ in range(2))
    assert tasks.size is None
    with pytest.raises(TypeError, match="infinite"):
        len(tasks)
    assert [tasks[i] for i in (5, 0, 5)] == [again[5], again[0], again[5]]
    assert len({tasks[i].prompt for i in range(100)}) == 100
    task = tasks[7]
    assert (task.id, task.split, task.tags, task.difficulty) == ("n/train/7", "train", ("number",), 2.0)
    assert tasks.get("n/train/7") == task
    assert [t.id for t in tasks.head(3)] == ["n/train/0", "n/train/1", "n/train/2"]
    assert [t.id for t, _ in zip(tasks, range(2), strict=False)] == ["n/train/0", "n/train/1"]


@pytest.mark.parametrize("task_id", ["n/eval/1", "n/train/x", "n/train/-1", "m/train/1", "1"])
def test_ids_of_other_sets_are_refused(task_id):
    with pytest.raises(ConfigError, match="ids look like n/train/0"):
        ProceduralTaskSet("n", "train", generate).get(task_id)


def test_a_procedural_set_refuses_what_it_cannot_do():
    with pytest.raises(ConfigError, match="unknown split 'test'"):
        ProceduralTaskSet("n", "test", generate)  # type: ignore[arg-type]
    with pytest.raises(IndexError):
        ProceduralTaskSet("n", "train", generate)[-1]
    one = {split: ProceduralTaskSet("n", split, lambda rng: {"prompt": "the only one"}) for split in ("train", "eval")}
    with pytest.raises(ConfigError, match="too few different problems"):
        [tasks[0] for tasks in one.values()]


def test_the_key_decides_the_split_and_is_no_field():
    def keyed(rng):
        n = int(rng.integers(50))
        return {"prompt": f"{rng.integers(10**6)}", "key": f"secret {n}", "target": n}

    secrets = {s: {ProceduralTaskSet("k", s, keyed)[i].target for i in range(200)} for s in ("train", "eval")}
    assert secrets["train"].isdisjoint(secrets["eval"])


def test_a_set_without_ids_says_so():
    class Bare(TaskSet):
        size = 1

        def __getitem__(self, index):
            return Task("x", "y")

    with pytest.raises(ConfigError, match="no task 'x' in Bare"):
        Bare().get("x")


# -- files


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_rows_are_read_with_their_numbers(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"a": 1}', "", '{"a": "ü"}')
    assert list(read_jsonl(path)) == [(1, {"a": 1}), (3, {"a": "ü"})]
    assert list(read_rows(path)) == list(read_jsonl(path))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"a": ', r"a\.jsonl:2: not JSON"),
        ("[1, 2]", r"a\.jsonl:2: a row must be a JSON object, not list"),
    ],
)
def test_broken_rows_are_named(tmp_path, line, message):
    path = write(tmp_path / "a.jsonl", '{"a": 1}', line)
    with pytest.raises(DataError, match=message) as raised:
        list(read_rows(path))
    assert raised.value.line == 2
    assert "\n" not in str(raised.value)


def test_files_that_are_none(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        list(read_rows(tmp_path / "none.jsonl"))
    with pytest.raises(DataError, match="unknown kind of data file"):
        list(read_rows(tmp_path / "a.csv"))
    (tmp_path / "b.jsonl").write_bytes(b'{"a": "\xff"}\n')
    with pytest.raises(DataError, match="not UTF-8"):
        list(read_rows(tmp_path / "b.jsonl"))
    (tmp_path / "c.parquet").write_bytes(b"not parquet")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        list(read_rows(tmp_path / "c.parquet"))


def test_parquet_rows(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"q": ["a", "b"], "n": [1, 2]}), tmp_path / "a.parquet")
    assert list(read_rows(tmp_path / "a.parquet")) == [(1, {"q": "a", "n": 1}), (2, {"q": "b", "n": 2})]


def convert(row):
    if row["n"] < 0:
        raise ValueError("n is negative")
    return Task(str(row["n"]), row["q"])


def test_loading_names_the_row_that_cannot_be_used(tmp_path):
    rows = [json.dumps({"q": "x", "n": i}) for i in range(3)]
    path = write(tmp_path / "a.jsonl", *rows)
    assert load_tasks(path, convert).size == 3
    assert load_tasks(path, convert, limit=2).size == 2
    with pytest.raises(DataError, match=r"a\.jsonl:4: field 'q' is missing"):
        load_tasks(write(path, *rows, '{"n": 3}'), convert)
    with pytest.raises(DataError, match=r"a\.jsonl:4: n is negative"):
        load_tasks(write(path, *rows, '{"q": "x", "n": -1}'), convert)
    with pytest.raises(DataError, match="holds no rows"):
        load_tasks(write(path, ""), convert)


def test_a_file_is_read_once_until_it_changes(tmp_path):
    path, row, load = tmp_path / "a.jsonl", json.dumps({"q": "x", "n": 1}), kept(load_tasks)
    tasks = load(write(path, row), convert)
    assert load(path, convert) is tasks
    assert load(write(path, row, json.dumps({"q": "x", "n": 2})), convert).size == 2
    assert load(path, convert, limit=1).size == 1


def test_rows_are_converted_anew_each_time(tmp_path):
    """What a user's `convert` does may depend on more than the row."""
    path, seen = write(tmp_path / "a.jsonl", json.dumps({"q": "x", "n": 1})), []

    def counted(row):
        seen.append(row)
        return convert(row)

    assert load_tasks(path, counted) is not load_tasks(path, counted)
    assert len(seen) == 2


def test_content_ids_are_stable_and_tell_contents_apart():
    assert content_id("q", "a") == content_id("q", "a")
    assert len({content_id("q", "a"), content_id("qa", ""), content_id("q", 1), content_id("q", "1")}) == 4
