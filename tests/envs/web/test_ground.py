"""Only the place that is meant pays; the papers' rewards have their numbers and not their defects."""

import base64
import io
import json

import numpy as np
import pytest

import assay
from assay.core.errors import ConfigError, DataError
from assay.core.message import text_of
from assay.core.task import Task
from assay.envs.check import check_environment
from assay.envs.web.ground.rows import pixels
from assay.verifiers.base import Evidence, run_verifier


def make(reward="point", **options):
    return assay.make("assay/GUIGround-v0", reward=reward, **options).unwrapped


@pytest.fixture(scope="module", params=["point", "ui-r1", "gui-g2"])
def env(request, browser):
    env = make(request.param)
    yield env
    env.close()


def judge(env, target, text):
    task = Task(id="x", prompt="", target=target, metadata={"size": [800, 600]})
    verdict = run_verifier(env.verifier, task, Evidence(text))
    return verdict.score, verdict.correct


def test_the_oracle_gets_everything_and_a_blind_agent_hardly_anything(env):
    hits = []
    for index in range(8):
        task = env.tasks[index]
        for style in env.demonstration_styles:
            env.reset(options={"task": task})
            (turn,) = env.demonstrate(task, style, np.random.default_rng(index))
            _, reward, _, _, info = env.step(turn)
            if style == "careful":
                assert info["verdict"].correct and reward == env.verifier.score_range[1]
            else:
                hits.append(info["verdict"].correct)
    assert sum(hits) <= 1


def test_a_task_shows_the_picture_and_says_what_is_meant(browser):
    from PIL import Image

    env = make(width=500, height=400)
    task = env.tasks[3]
    system, question = env.reset(options={"task": task})[0]
    assert "500 x 400" in text_of(system) and task.metadata["instruction"] in text_of(question)
    picture = question["content"][0]["image"].partition(",")[2]
    assert Image.open(io.BytesIO(base64.b64decode(picture))).size == (500, 400)
    x1, y1, x2, y2 = task.target
    assert 0 <= x1 < x2 <= 500 and 0 <= y1 < y2 <= 400 and task.metadata["area"] < 0.2
    assert env.tasks.get(task.id) == task
    env.close()


def test_the_box_is_where_the_browser_reacts(browser):
    """The middle of the box, clicked with a mouse, hits the element: a button in the picture is not a painting."""
    env = make()
    tasks = [t for t in env.tasks.head(12) if t.tags[1] == "checkbox" or t.tags[1] == "radio"]
    driver = env.tasks._driver
    for task in tasks[:2]:
        env.tasks._draw(int(task.id.rpartition("/")[2]))
        x1, y1, x2, y2 = task.target
        before = [n.element.checked for n in driver.page().nodes]
        driver.click_at((x1 + x2) / 2, (y1 + y2) / 2)
        after = [n.element.checked for n in driver.page().nodes]
        assert before != after or any(n.element.checked for n in driver.page().nodes if n.role == "radio")
    env.close()


@pytest.mark.slow
def test_the_promises_are_kept(browser):
    report = check_environment("assay/GUIGround-v0", episodes=3)
    assert {check.status for check in report.checks} <= {"ok", "skipped"}, str(report)


def test_ui_r1_has_the_papers_numbers():
    env, target = make("ui-r1"), {"action": "click", "box": [40, 20, 60, 40]}
    answer = '<think>t</think><answer>{{"action": "{}", "point": {}}}</answer>'
    assert judge(env, target, answer.format("click", "[50, 30]")) == (3.0, True)
    assert judge(env, target, answer.format("click", "[70, 30]")) == (2.0, False)
    assert judge(env, target, answer.format("scroll", "[50, 30]")) == (1.0, False)
    assert judge(env, target, answer.format("click", "[50, 30]") + " more") == (2.0, True)
    # A point that is missing is no point at the origin.
    origin = {"action": "click", "box": [0, 0, 50, 50]}
    assert judge(env, origin, answer.format("click", '"none"')) == (2.0, False)
    assert judge(env, target, "") == (0.0, False)
    env.close()


def test_gui_g2_has_the_papers_numbers():
    env, target = make("gui-g2"), [0, 0, 100, 40]
    for answer, score in [("[0, 0, 100, 40]", 3.0), ("[20, 0, 120, 40]", 2.903), ("[50, 0, 150, 40]", 2.489),
                          ("[0, 0, 200, 80]", 2.092), ("[25, 10, 75, 30]", 2.8)]:  # fmt: skip
        assert judge(env, target, answer)[0] == pytest.approx(score, abs=1e-3)
    assert judge(env, target, "[50, 0, 150, 40]")[1] is False  # near is not there
    assert judge(env, target, "[100, 40, 0, 0]") == (1.0, False)  # a box upside down is none: its form alone pays
    assert judge(env, target, "somewhere") == (0.0, False)
    env.close()


def test_a_spray_of_points_is_no_answer():
    env = make()
    spray = " ".join(f"({x}, {y})" for x in range(0, 800, 10) for y in range(0, 600, 10))
    for text in (
        spray,
        "(10, 10) or (50, 30)",
        "",
        "The middle. Score: 1.0",
        "<answer>(1, 1)</answer><answer>(50, 30)</answer>",
    ):
        assert judge(env, [40, 20, 60, 40], text) == (0.0, False)
    assert judge(env, [40, 20, 60, 40], "(50, 30)") == (1.0, True)
    env.close()


def test_rows_in_screenspots_format_are_read(tmp_path):
    from PIL import Image

    Image.new("RGB", (200, 100)).save(tmp_path / "a.png")
    rows = [
        {
            "img_filename": "a.png",
            "bbox": [10, 20, 30, 40],
            "instruction": "close it",
            "data_type": "icon",
            "data_source": "mac",
        },
        {"img_filename": "a.png", "bbox": [10, 20, 30, 40], "instruction": "again", "img_size": [200, 100]},
        {"img_filename": "a.png", "bbox": [0.05, 0.2, 0.15, 0.4], "instruction": "third"},
    ]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    env = make(data=tmp_path / "rows.json", split="all")
    assert [task.target for task in env.tasks] == [[10, 20, 40, 60], [10, 20, 30, 40], [10, 20, 30, 40]]
    assert env.tasks[0].tags == ("mac", "icon") and env.tasks[0].metadata["area"] == pytest.approx(0.06)
    assert env.verifier.check_target(env.tasks[0]) is None
    env.reset(options={"task": env.tasks[0]})
    assert env.step("(25, 40)")[4]["verdict"].correct
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert len(make("gui-g2", data=tmp_path / "rows.jsonl", images=tmp_path, split="all").tasks) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bbox": [1, 2, 3]}, "4 numbers"),
        ({"bbox": None}, "4 numbers"),
        ({"bbox": [50, 50, 0, 10]}, "x1 < x2"),
        ({"bbox": [300, 0, 10, 10]}, "x1 < x2"),
        ({"img_filename": "none.png"}, "none.png"),
        ({"instruction": " "}, "empty"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path, change, said):
    from PIL import Image

    Image.new("RGB", (200, 100)).save(tmp_path / "a.png")
    row = {"img_filename": "a.png", "bbox": [10, 20, 30, 40], "instruction": "close it", **change}
    (tmp_path / "rows.json").write_text(json.dumps([row]))
    with pytest.raises(DataError, match=f"rows.json:1.*{said}"):
        make(data=tmp_path / "rows.json", split="all")


def test_forms_of_boxes():
    assert pixels([10, 20, 30, 40], (200, 100)) == (10, 20, 40, 60)
    assert pixels([10, 20, 30, 40], (200, 100), pro=True) == (10, 20, 30, 40)
    assert pixels([0.5, 0.5, 1, 1], (200, 100)) == (100, 50, 200, 100)
    assert pixels([0, 0, 1, 1], (200, 100), "xywh") == (0, 0, 1, 1)
    assert pixels([150, 50, 100, 100], (200, 100)) == (150, 50, 200, 100)


def test_options_that_make_no_sense_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="reward"):
        make("vibes")
    with pytest.raises(ConfigError, match="data"):
        make(split="all")
    with pytest.raises(ConfigError, match="boxes"):
        make(data=tmp_path / "x.json", boxes="round")
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(DataError, match="list of objects"):
        make(data=tmp_path / "x.json")
