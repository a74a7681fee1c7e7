import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import ConfigError
from assay.verifiers import make_verifier, verify_text
from assay.verifiers.gui.geometry import gaussian_cover, gaussian_point, iou

BOX = [40, 20, 60, 40]


def judge(name, target, response, metadata=None, **options):
    return verify_text(make_verifier(name, **options), target, response, metadata=metadata)


def test_iou_is_continuous():
    assert iou((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert iou((0, 0, 1, 1), (0, 0, 1, 1)) == 1.0, "a published reward gives 0 here"
    assert iou((0, 0, 1, 1), (1, 0, 2, 1)) == 0.0


boxes = st.tuples(*[st.integers(0, 50)] * 2, *[st.integers(1, 50)] * 2).map(
    lambda t: (t[0], t[1], t[0] + t[2], t[1] + t[3])
)


@given(boxes, boxes)
def test_overlap_is_symmetric_and_bounded(a, b):
    assert 0.0 <= iou(a, b) == iou(b, a) <= 1.0
    assert (iou(a, b) == 1.0) is (a == b)
    assert 0.0 <= gaussian_cover(a, b) <= 1.0 + 1e-12 and 0.0 <= gaussian_point(a, b) <= 1.0


@pytest.mark.parametrize(
    ("answer", "point", "cover"),
    [
        ((0, 0, 100, 40), 1.0, 1.0),
        ((20, 0, 120, 40), 0.923, 0.980),
        ((50, 0, 150, 40), 0.607, 0.882),
        ((0, 0, 200, 80), 0.368, 0.724),
        ((25, 10, 75, 30), 1.0, 0.8),
    ],
)
def test_gaussian_rewards_of_the_paper(answer, point, cover):
    gold = (0, 0, 100, 40)
    assert gaussian_point(answer, gold) == pytest.approx(point, abs=5e-4)
    assert gaussian_cover(answer, gold) == pytest.approx(cover, abs=5e-4)
    verdict = judge("gaussian_box", list(gold), str(list(answer)))
    assert verdict.score == pytest.approx(point + cover, abs=1e-3)


def test_point_in_box():
    assert judge("point_in_box", BOX, "click(50, 30)").correct
    assert judge("point_in_box", BOX, "<answer>(60,40)</answer>").correct
    assert not judge("point_in_box", BOX, "(61, 40)").correct
    assert judge("point_in_box", BOX, "(25, 15)", {"scale": [2, 2]}).correct
    assert judge("point_in_box", [0, 0, 50, 50], "somewhere").status == "unparsable", "no coordinate is not (0, 0)"
    assert not judge("point_in_box", BOX, "(50, 30) or (10, 10)").correct
    for bad in ([0, 0, 0, 5], [1, 2, 3], None, [0, 0, float("nan"), 4], "box", [True, 0, 2, 2]):
        assert judge("point_in_box", bad, "(1, 1)").score is None
    assert judge("point_in_box", BOX, "(1, 1)", {"scale": [0, 1]}).score is None


def test_iou_verifier():
    assert judge("iou", [0, 0, 10, 10], "[5, 0, 15, 10]").score == pytest.approx(1 / 3)
    assert judge("iou", [0, 0, 10, 10], "[5, 0, 15, 10]", threshold=0.3).correct
    assert judge("iou", [0, 0, 10, 10], "[15, 0, 5, 10]").status == "unparsable"
    with pytest.raises(ConfigError):
        make_verifier("iou", threshold=0)


def action(target, **answer):
    return judge("gui_action", target, json.dumps(answer))


def test_gui_action():
    click = {"action": "click", "box": BOX}
    assert action(click, action="click", point=[50, 30]).score == 2.0
    assert action(click, action="click", point=[5, 5]).score == 1.0
    assert action(click, action="scroll").score == 0.0
    assert action({"action": "scroll"}, action="scroll").score == 2.0
    assert action({"action": "click", "box": [0, 0, 50, 50]}, action="click").score == 1.0, "no point, no hit"
    assert judge("gui_action", {"action": "click"}, "{}").score is None
    assert judge("gui_action", click, "[1]").status == "unparsable"


GOLD = [{"label": "cat", "box": [0, 0, 10, 10]}, {"label": "dog", "box": [20, 20, 30, 30]}]


def detect(*found):
    return judge("detection", GOLD, json.dumps(list(found)))


def test_detection_weights_of_the_paper():
    cat, dog = GOLD
    assert detect(cat, dog).score == pytest.approx(1.0) and detect(dog, cat).correct
    assert detect(cat).score == pytest.approx(0.575)
    assert detect(cat, dog, {"label": "cat", "box": [50, 50, 60, 60]}).score == pytest.approx(0.95)
    assert detect(cat, {**dog, "label": "cat"}).score == pytest.approx(0.65)
    assert detect().score == 0.0
    assert detect(cat, cat).correct is False, "one gold box is found once"
    assert detect(*[cat, dog] * 50).score < 0.9, "spamming boxes does not pay"
    assert judge("detection", [], "[]").score is None


@given(st.text(st.sampled_from("[](){}0123456789,. clik\"':"), max_size=60))
def test_any_text(text):
    for name, target in (("point_in_box", BOX), ("iou", BOX), ("gaussian_box", BOX), ("detection", GOLD)):
        assert judge(name, target, text).scored
    assert judge("gui_action", {"action": "click", "box": BOX}, text).scored
