import io
import subprocess
import sys

from assay.core.trajectory import Trajectory
from assay.core.verdict import right, wrong
from assay.rollouts import EpisodeProgress


def feed(progress):
    for i, verdict in enumerate([right(), wrong(), wrong(), None]):
        progress.advance(Trajectory(f"e{i}", "g", "t", "env", 0, verdict=verdict))


def test_counts_are_kept_whether_or_not_a_bar_is_drawn(capsys):
    with EpisodeProgress(4) as progress:
        feed(progress)
    assert (progress.done, progress.right, progress.unscored) == (4, 1, 1)
    assert progress.status == "33.3% right, 1 unscored"
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")  # stderr is no terminal here


def test_the_bar_goes_to_stderr_and_nothing_to_stdout(monkeypatch, capsys):
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    with EpisodeProgress(4, "evaluating", enabled=True) as progress:
        feed(progress)
    assert "evaluating" in screen.getvalue()
    assert capsys.readouterr().out == ""


def test_rich_is_not_loaded_for_a_bar_that_is_off():
    code = (
        "import sys; from assay.rollouts import EpisodeProgress\n"
        "with EpisodeProgress(1, enabled=False): print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
