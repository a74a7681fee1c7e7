"""Grounding tasks from files in ScreenSpot's format: rows with `img_filename`, `bbox` and `instruction`.

The published files disagree about `bbox`: ScreenSpot and ScreenSpot-v2 have [x, y, width, height] in pixels,
ScreenSpot-Pro [x1, y1, x2, y2] in pixels next to `img_size`, and copies on hubs [x1, y1, x2, y2] as shares of the
picture. The form is told from the row, or given.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from assay.core.errors import ConfigError, DataError
from assay.core.kept import kept
from assay.core.task import Task, TaskList, content_id, read_rows
from assay.envs.web.ground.screens import AnswerForm, facts
from assay.verifiers.gui.geometry import Box, to_box

Form = Literal["auto", "xywh", "xyxy", "shares"]


@kept
def load_screens(
    data: str | Path, images: str | Path | None, split: str, form: AnswerForm, *, boxes: Form = "auto"
) -> TaskList:
    """Read the rows of a JSON or JSONL file (Parquet and hubs too). `DataError` names the row that cannot be used.

    Args:
        data: The file.
        images: The folder that `img_filename` is relative to; None: the file's own.
        split: Written into the tasks; the file says which it is.
        form: How the agent shall answer.
        boxes: What `bbox` holds.
    """
    if boxes not in get_args(Form):
        raise ConfigError(f"boxes must be one of {', '.join(get_args(Form))}, not {boxes!r}")
    folder = Path(images) if images is not None else Path(data).parent
    tasks = []
    for number, row in _rows(data):
        try:
            tasks.append(_task(row, folder, split, form, boxes))
        except (KeyError, TypeError, ValueError, OSError) as error:
            what = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
            raise DataError(what, path=str(data), line=number) from None
    if not tasks:
        raise DataError("holds no rows", path=str(data))
    return TaskList(tasks)


def _rows(data: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if not str(data).endswith(".json"):
        yield from read_rows(data)
        return
    try:
        rows = json.loads(Path(data).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read as JSON: {error}", path=str(data)) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError("must be a list of objects", path=str(data))
    yield from enumerate(rows, 1)


def _task(row: dict[str, Any], folder: Path, split: str, form: AnswerForm, boxes: Form) -> Task:
    from PIL import Image  # only files need it

    file = folder / str(row["img_filename"])
    with Image.open(file) as image:
        size, kind = image.size, (image.format or "png").lower()
    box, instruction = pixels(row["bbox"], size, boxes, pro="img_size" in row), str(row["instruction"]).strip()
    if not instruction:
        raise ValueError("the instruction is empty")
    picture = f"data:image/{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
    tags = [str(row[key]) for key in ("data_source", "platform", "data_type", "ui_type") if row.get(key)]
    return Task(
        id=f"screenspot/{content_id(row['img_filename'], row['bbox'], instruction)}",
        prompt=form.question(picture, instruction, size),
        target=form.target(box),
        split=split,
        tags=tuple(tags),
        metadata=facts(instruction, box, size),
    )


def pixels(values: Any, size: tuple[int, int], boxes: Form = "auto", *, pro: bool = False) -> Box:
    """Return a box in pixels, cut to the picture. ValueError when it is none."""
    if not isinstance(values, list | tuple) or len(values) != 4:
        raise ValueError(f"bbox must hold 4 numbers, not {str(values)[:60]}")
    if boxes == "auto":
        shares = all(isinstance(value, int | float) and 0 <= value <= 1 for value in values)
        boxes = "shares" if shares else "xyxy" if pro else "xywh"
    a, b, c, d = (float(value) for value in values)
    if boxes == "xywh":
        c, d = a + c, b + d
    elif boxes == "shares":
        a, b, c, d = a * size[0], b * size[1], c * size[0], d * size[1]
    return to_box([max(a, 0.0), max(b, 0.0), min(c, float(size[0])), min(d, float(size[1]))])
