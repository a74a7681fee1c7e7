import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from assay.core.errors import ConfigError, DataError, SchemaError
from assay.core.trajectory import Step, Trajectory, Turn
from assay.core.verdict import right
from assay.rollouts import TrajectoryStore, read_trajectories


def trajectory(i, text="hello ünïcode\u2028 and a line\nbreak"):
    step = Step(Turn(text, (1, 2), (3, 4), (-0.5, -0.25)), 1.0, {"outcome": 1.0, "judge": None})
    return Trajectory(f"e{i}", "g", "t", "env", 7, (step,), verdict=right(extracted="4"), metadata={"k": [1]})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "trajectories.jsonl"


def test_what_goes_in_comes_out(path):
    with TrajectoryStore(path) as store:
        for i in range(3):
            store.append(trajectory(i))
        assert len(store) == 3
        assert "e1" in store
        assert "e9" not in store
    assert list(read_trajectories(path)) == [trajectory(i) for i in range(3)]
    assert path.read_bytes().count(b"\n") == 3


def test_a_reader_sees_every_line_while_the_writer_writes(path):
    with TrajectoryStore(path) as store:
        for i in range(3):
            store.append(trajectory(i))
            assert [t.id for t in read_trajectories(path)] == [f"e{j}" for j in range(i + 1)]


def test_an_id_is_stored_once_across_sessions(path):
    with TrajectoryStore(path) as store:
        store.append(trajectory(0))
        with pytest.raises(DataError, match="'e0' is stored already"):
            store.append(trajectory(0))
    with TrajectoryStore(path) as store:
        assert "e0" in store
        with pytest.raises(DataError, match="'e0' is stored already"):
            store.append(trajectory(0))
        store.append(trajectory(1))
    assert len(list(read_trajectories(path))) == 2


@pytest.mark.parametrize("cut", [1, 2, 20, 100])
def test_a_torn_last_line_is_ignored_by_readers_and_cut_off_by_the_next_writer(path, cut):
    with TrajectoryStore(path) as store:
        store.append(trajectory(0))
        whole = path.stat().st_size
        store.append(trajectory(1))
    with open(path, "r+b") as handle:
        handle.truncate(path.stat().st_size - cut)
    assert [t.id for t in read_trajectories(path)] == ["e0"]
    with TrajectoryStore(path) as store:
        assert path.stat().st_size == whole
        assert "e1" not in store
        store.append(trajectory(1))
    assert [t.id for t in read_trajectories(path)] == ["e0", "e1"]


def test_a_writer_killed_at_any_moment_loses_nothing_that_it_reported(path):
    code = textwrap.dedent(
        """
        import sys
        from assay.core.trajectory import Step, Trajectory, Turn
        from assay.rollouts import TrajectoryStore
        store = TrajectoryStore(sys.argv[1])
        for i in range(len(store), 100_000):
            store.append(Trajectory(f"e{i}", "g", "t", "env", 0, (Step(Turn("x" * 2000), 0.0),)))
            print(i, flush=True)
        """
    )
    reported = -1
    for _ in range(2):
        child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(200):
            reported = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        rest, _ = child.communicate()
        reported = max([reported, *(int(line) for line in rest.splitlines())])
        ids = [t.id for t in read_trajectories(path)]
        assert len(ids) == len(set(ids))
        assert ids[: reported + 1] == [f"e{i}" for i in range(reported + 1)]
    assert reported >= 399


def test_damage_in_the_middle_is_named(path):
    with TrajectoryStore(path) as store:
        store.append(trajectory(0))
    with open(path, "ab") as handle:
        handle.write(b'{"id": "e1", "gro\n')
    with pytest.raises(DataError, match=r"trajectories\.jsonl:2: not JSON"):
        TrajectoryStore(path)
    with pytest.raises(DataError, match=r"trajectories\.jsonl:2: not a trajectory"):
        list(read_trajectories(path))


def test_rows_that_are_no_trajectories_are_named(path):
    path.parent.mkdir()
    path.write_text('{"question": "2+2"}\n')
    with pytest.raises(DataError, match=r":1: not a trajectory: it has no id"):
        TrajectoryStore(path)
    with pytest.raises(DataError, match=r":1: not a trajectory"):
        list(read_trajectories(path))


def test_a_file_that_holds_an_id_twice_is_refused(path):
    path.parent.mkdir()
    path.write_text(trajectory(0).to_json() + "\n\n" + trajectory(0).to_json() + "\n")
    with pytest.raises(DataError, match=r":3: episode 'e0' is here twice"):
        TrajectoryStore(path)


def test_a_newer_schema_is_refused(path):
    row = json.loads(trajectory(0).to_json()) | {"schema_version": 99, "from_the_future": True}
    path.parent.mkdir()
    path.write_text(json.dumps(row) + "\n")
    for use in (TrajectoryStore, lambda p: list(read_trajectories(p))):
        with pytest.raises(SchemaError, match=r"trajectories\.jsonl:1: .*99.*upgrade"):
            use(path)


def test_a_second_writer_is_refused(path):
    with TrajectoryStore(path) as first:
        with pytest.raises(ConfigError, match="another process is writing"):
            TrajectoryStore(path)
        first.append(trajectory(0))
    with TrajectoryStore(path) as again:
        assert len(again) == 1


def test_a_write_that_fails_half_way_leaves_whole_lines(path, monkeypatch):
    with TrajectoryStore(path) as store:
        store.append(trajectory(0))
        real, calls = os.write, []

        def full_disk(fd, data):
            calls.append(len(data))
            if len(calls) == 1:
                return real(fd, data[:10])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full_disk)
        with pytest.raises(DataError, match="No space left on device"):
            store.append(trajectory(1))
        monkeypatch.undo()
        store.append(trajectory(1))
    assert [t.id for t in read_trajectories(path)] == ["e0", "e1"]


def test_places_that_cannot_be_written_or_read(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        TrajectoryStore(tmp_path / "file" / "t.jsonl")
    with pytest.raises(DataError, match="cannot be read"):
        list(read_trajectories(tmp_path / "nothing.jsonl"))


def test_a_closed_store_says_so(path):
    store = TrajectoryStore(path)
    store.close()
    store.close()
    with pytest.raises(ValueError, match="closed"):
        store.append(trajectory(0))


def test_what_is_discarded_can_be_stored_again_and_the_rest_stays(path):
    with TrajectoryStore(path) as store:
        for i in range(4):
            store.append(trajectory(i))
        before = path.read_bytes().splitlines(keepends=True)
        store.discard({"e1", "e3", "never there"})
        assert path.read_bytes() == before[0] + before[2]
        assert store.ids == {"e0", "e2"}
        with pytest.raises(ConfigError, match="another process is writing"):
            TrajectoryStore(path)  # the new file is locked as the old one was
        store.append(trajectory(1, "better"))
    assert [t.id for t in read_trajectories(path)] == ["e0", "e2", "e1"]
    with TrajectoryStore(path) as store:
        assert store.ids == {"e0", "e1", "e2"}
    assert [p.name for p in path.parent.iterdir()] == [path.name]
