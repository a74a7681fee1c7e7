"""`assay explain`: what a thing is, and what can be set."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rich.markup import escape
from rich.table import Table

from assay.cli.catalogue import SECTIONS, Named
from assay.cli.common import out
from assay.core.errors import UnknownNameError
from assay.core.factories import options_of
from assay.core.registry import load

Row = tuple[str, str, str]
"""Name, default, meaning."""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("explain")(explain)


def explain(
    name: Annotated[
        str,
        typer.Argument(
            help="What `assay list` names, module:attribute, or `train` or `eval` for all of their settings."
        ),
    ],
    part: Annotated[str, typer.Argument(help="Only settings that begin so, such as optim or algorithm.critic.")] = "",
) -> None:
    """Explain an environment, verifier, advantage or loss and its options, or the settings of train and eval.

    assay explain assay/Maze-v0        assay explain train optim
    """
    settings = _settings()
    if name in settings:
        _show(_within(part, _of_model(settings[name]())))
        return
    thing = _named(name)
    factory = thing.load()
    out.print(escape(inspect.getdoc(factory) or "Without a docstring.") + "\n", highlight=False)
    if thing.settings:
        _show(_within(thing.settings, _of_model(settings["train"]())))
    else:
        _show([_of_parameter(option) for option in options_of(factory).values()])


def _settings() -> dict[str, Callable[[], type[BaseModel]]]:
    def train() -> type[BaseModel]:
        from assay.trainers.config import TrainConfig

        return TrainConfig

    def evaluate() -> type[BaseModel]:
        from assay.cli.evaluate import EvalJob

        return EvalJob

    return {"train": train, "eval": evaluate}


def _within(part: str, rows: Iterator[Row]) -> list[Row]:
    listed = list(rows)
    found = [row for row in listed if not part or f"{row[0]}.".startswith(f"{part}.")]
    if not found:
        names = {".".join(words[: n + 1]) for words in (row[0].split(".") for row in listed) for n in range(len(words))}
        raise UnknownNameError("setting", part, names)
    return found


def _named(name: str) -> Named:
    """Return what has this name."""
    things = {thing.name: thing for section in SECTIONS.values() for thing in section()}
    if name in things:
        return things[name]
    if ":" in name:
        return Named(name, partial(load, name))
    raise UnknownNameError("name", name, [*things, *_settings()])


def _of_model(model: type[BaseModel], prefix: str = "") -> Iterator[Row]:
    """Yield the settings of a configuration, those of its sections with dotted names."""
    told = _told(model)
    for key, field in model.model_fields.items():
        sections = [kind for kind in (field.annotation, *get_args(field.annotation)) if _is_section(kind)]
        if not sections or key in told or (not field.is_required() and field.default is None):
            yield f"{prefix}{key}", _default(field), _meaning(field, told.get(key), sections)
        for section in sections:
            yield from _of_model(section, f"{prefix}{key}.")


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _told(model: type[BaseModel]) -> dict[str, str]:
    """Return what is written below the fields of a model. Read here, since pydantic would read it at every import."""
    told = {}
    for base in reversed([kind for kind in model.__mro__ if kind.__module__.startswith("assay.")]):
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(definition, ast.ClassDef)
        for field, text in itertools.pairwise(definition.body):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=key)), ast.Expr(value=ast.Constant(value=str(said))):
                    told[key] = inspect.cleandoc(said)
    return told


def _meaning(field: FieldInfo, told: str | None, sections: Sequence[type]) -> str:
    choices = " or ".join(f"`{choice}`" for choice in get_args(field.annotation))
    texts = [
        choices + "." if get_origin(field.annotation) is Literal else "",
        told or "".join((inspect.getdoc(section) or "").split("\n")[0] for section in sections[:1]),
    ]
    return " ".join(filter(None, texts))


def _default(field: FieldInfo) -> str:
    return "required" if field.is_required() else _shown(field.get_default(call_default_factory=True))


def _of_parameter(option: inspect.Parameter) -> Row:
    annotation = option.annotation
    kind = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return (
        option.name,
        "required" if option.default is option.empty else _shown(option.default),
        "" if annotation is option.empty else kind.strip("'"),
    )


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        value = list(value)
    return "a section" if isinstance(value, BaseModel) else f"{value!r}"


def _show(rows: Sequence[Row]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, default, meaning in rows:
        table.add_row(f"[bold]{escape(name)}[/]", escape(default), escape(" ".join(meaning.split())))
    out.print(table, highlight=False)
