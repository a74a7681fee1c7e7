"""Views as HTML: every page of every site, in the look of its theme.

Invariants: whatever people wrote is escaped; no page has a script. Written as plain functions and not as a template,
because rendering is most of what an episode in process costs.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from assay.envs.web.sites.blocks import Block, Facts, Field, Form, Link, Links, Record, Records, View
from assay.envs.web.sites.theme import Theme

escape = lru_cache(maxsize=8192)(html.escape)
"""The labels, names and addresses of an episode come again on most of its pages."""


def page(view: View, theme: Theme, links: Sequence[Link], base: str = "") -> str:
    """Return the document of a view.

    Args:
        view: What is on the page.
        theme: How it looks.
        links: The menu of the site; empty: there is none.
        base: The path that the site lies under, such as `/shop`.
    """
    title = escape(view.title)
    heading = "" if theme.plain else f"<h1>{title}</h1>"
    blocks = "".join([_block(block, theme, f"{i}-") for i, block in enumerate(view.blocks, 1)])
    menu = f"<nav>{_links(links)}</nav>" if links else ""
    before, after = ("", menu) if theme.menu == "bottom" else (menu, "")
    brand = f"{escape(theme.brand)}: " if theme.brand else ""
    body = f"{before}<main>{heading}{blocks}</main>{after}"
    if base:  # what people wrote has its quotation marks escaped, so only addresses are found
        body = body.replace(' href="/', f' href="{base}/').replace(' action="/', f' action="{base}/')
    style = _style(theme.hue, theme.gap, theme.font, theme.menu, theme.plain)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{brand}{title}</title>'
        f"<style>{style}</style></head><body>{body}</body></html>"
    )


@lru_cache(maxsize=256)
def _style(hue: int, gap: int, font: str, menu: str, plain: bool) -> str:
    side = "nav{float:left;width:9em}nav a{display:block}main{margin-left:10em}" if menu == "side" else ""
    return (
        f"body{{font-family:{font};margin:{gap}px;color:hsl({hue},40%,15%);background:hsl({hue},30%,97%)}}"
        f"nav a{{margin-right:{gap}px}}{side}td,th{{padding:{gap // 2}px;text-align:left}}"
        f"article,fieldset{{border:1px solid hsl({hue},30%,70%);margin:{gap}px 0;padding:{gap // 2}px}}"
        f".label,.cell{{display:inline-block;margin-right:{gap}px}}"
        f"form{{display:{'inline' if plain else 'block'};margin:2px 0}}button{{background:hsl({hue},50%,85%)}}"
    )


def _block(block: Block, theme: Theme, prefix: str) -> str:
    """Return a block. `prefix` keeps the ids of fields apart from those of other forms of the page."""
    if isinstance(block, Records):
        return _RECORDS[theme.records](block, theme)
    if isinstance(block, Form):
        return _form(block, theme, prefix)
    if isinstance(block, Facts):
        pairs = [f"<dt>{escape(label)}</dt><dd>{escape(str(value))}</dd>" for label, value in block.pairs]
        return f"<dl>{''.join(pairs)}</dl>"
    return f"<p>{_links(block.links) if isinstance(block, Links) else escape(block.text)}</p>"


def _links(links: Iterable[Link]) -> str:
    return "".join([f"{_link(link)} " for link in links])


def _link(link: Link) -> str:
    return f'<a href="{escape(link.href)}">{escape(link.text)}</a>'


def _cell(cell: str | int | Link) -> str:
    return _link(cell) if isinstance(cell, Link) else escape(str(cell))


def _controls(row: Record, theme: Theme) -> str:
    return "".join([_form(form, theme, "") for form in row.controls])


# -- records in three looks -----------------------------------------------------------------------------------


def _table(records: Records, theme: Theme) -> str:
    head = "".join([f"<th>{escape(column)}</th>" for column in records.columns])
    rows = [
        f"<tr>{''.join([f'<td>{_cell(cell)}</td>' for cell in row.cells])}<td>{_controls(row, theme)}</td></tr>"
        for row in records.rows
    ]
    return f"<table><thead><tr>{head}<th></th></tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _cards(records: Records, theme: Theme) -> str:
    labels = [f'<div class="label">{escape(column)}:</div> ' for column in records.columns]
    cards = []
    for row in records.rows:
        cells = [f"<div>{_cell(row.cells[0])}</div>"]
        cells += [
            f'<div>{label}<div class="cell">{_cell(cell)}</div></div>'
            for label, cell in zip(labels[1:], row.cells[1:], strict=True)
        ]
        cards.append(f"<article>{''.join(cells)}{_controls(row, theme)}</article>")
    return "".join(cards)


def _list(records: Records, theme: Theme) -> str:
    items = [
        f"<li>{''.join([_div(_cell(cell)) for cell in row.cells])}{_controls(row, theme)}</li>" for row in records.rows
    ]
    return f"<ul>{''.join(items)}</ul>"


def _div(inner: str) -> str:
    return f'<div class="cell">{inner}</div>'


_RECORDS: dict[str, Callable[[Records, Theme], str]] = {"table": _table, "cards": _cards, "list": _list}


# -- forms ----------------------------------------------------------------------------------------------------


def _form(form: Form, theme: Theme, prefix: str) -> str:
    hidden = [
        f'<input type="hidden" name="{escape(name)}" value="{escape(str(value))}">'
        for name, value in form.hidden.items()
    ]
    fields = [_field(field, theme, prefix) for field in form.fields]
    return (
        f'<form action="{escape(form.action)}" method="{form.method}" autocomplete="off" novalidate>'
        f'{"".join(hidden)}{"".join(fields)}<button type="submit">{escape(form.submit)}</button></form>'
    )


def _field(field: Field, theme: Theme, prefix: str) -> str:
    name, label, value = escape(field.name), escape(field.label), escape(field.value)
    if field.kind == "choice" and theme.choice == "radio":
        radios = "".join([_radio(field, option) for option in field.options])
        return f"<fieldset><legend>{label}</legend>{radios}</fieldset>"
    if field.kind == "tick":
        checked = " checked" if field.value else ""
        return f'<div><label><input type="checkbox" name="{name}" value="yes"{checked}> {label}</label></div>'
    key = prefix + name
    if field.kind == "choice":
        options = [
            f"<option{' selected' if option == field.value else ''}>{escape(option)}</option>"
            for option in field.options
        ]
        control = f'<select id="{key}" name="{name}">{"".join(options)}</select>'
    elif field.kind == "lines":
        control = f'<textarea id="{key}" name="{name}">\n{value}</textarea>'
    else:
        control = f'<input id="{key}" type="text" name="{name}" value="{value}">'
    return f'<div><label for="{key}">{label}</label> {control}</div>'


def _radio(field: Field, option: str) -> str:
    shown, checked = escape(option), " checked" if option == field.value else ""
    return f'<label><input type="radio" name="{escape(field.name)}" value="{shown}"{checked}> {shown}</label>'
