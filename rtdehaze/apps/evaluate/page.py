"""The evaluation as one page: tables, and the best and worst pictures of each model, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import math
from html import escape

from rtdehaze.apps.evaluate.domains import Kind
from rtdehaze.apps.evaluate.gallery import Panel, Scene
from rtdehaze.apps.evaluate.results import DomainResult, Evaluation, Measure

__all__ = ["page"]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --best: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --best: #56d364; } }
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 90rem; }
h1 { font-size: 1.5rem; margin: .2rem 0; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .3rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; font-weight: 600; } h3 small { font-weight: 400; opacity: .7; }
p { margin: .4rem 0; max-width: 60rem; } .soft { opacity: .75; font-size: .9rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .95rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } thead th { border-bottom-width: 2px; }
td small, th small { opacity: .65; font-weight: 400; } td.best { color: var(--best); font-weight: 700; }
td.say { text-align: left; white-space: normal; min-width: 13rem; font-size: .85rem; opacity: .75; }
.row { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(10rem, 47%), 1fr)); gap: .4rem; }
figure { margin: 0; } h3 { overflow-wrap: anywhere; }
img { display: block; width: 100%; height: auto; background: var(--soft); } figcaption { font-size: .8rem; }
details { margin: .5rem 0; font-size: .9rem; } summary { cursor: pointer; } dt { font-weight: 600; }
details.meanings { display: none; }
@media (max-width: 48rem) {
  body { padding: .7rem; } table { font-size: .8rem; } th, td { padding: .3rem .25rem; }
  th:first-child, td:first-child { white-space: normal; max-width: 7.5rem; padding-left: 0; }
  td.say, th.say { display: none; } details.meanings { display: block; } ul { padding-left: 1.2rem; }
}
"""

_ARROWS = {"up": "&uarr;", "down": "&darr;", "": ""}

_KINDS = {
    Kind.PAIRS: "pictures with their clear truth",
    Kind.CLIPS: "videos with their clear truth",
    Kind.REAL: "real haze without truth",
}


def page(evaluation: Evaluation) -> str:
    """Returns the page as HTML: valid by itself, readable on a phone, in light and in dark."""
    models = "".join(
        f"<li><b>{escape(label)}</b>: {escape(str(about['model']))}, {escape(str(about['provider']))}. "
        f"{escape(str(about['summary']))}</li>"
        for label, about in evaluation.models.items()
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>rtdehaze: evaluation</title><style>{_STYLE}</style></head><body>"
        "<h1>rtdehaze: evaluation</h1>"
        "<p>Every picture is dehazed at full size by the runtime that users have, the gate off. &uarr;: more is "
        "better, &darr;: less is better; the best of each line is green.</p>"
        f"<ul>{models}</ul>{_overview(evaluation)}{''.join(map(_domain, evaluation.domains))}</body></html>\n"
    )


def _overview(evaluation: Evaluation) -> str:
    if len(evaluation.domains) < 2:
        return ""
    rows = []
    for result in evaluation.domains:
        measure = next(one for one in result.measures if one.key == result.headline)
        rows.append(_row(measure, result, ["untouched", *evaluation.models], result.domain.name))
    head = "".join(f"<th>{escape(label)}</th>" for label in ("untouched", *evaluation.models))
    return f"<h2>All domains</h2>{_table(head, rows)}"


def _domain(result: DomainResult) -> str:
    head = "".join(f"<th>{escape(method)}</th>" for method in result.methods)
    rows = [_row(measure, result, list(result.methods)) for measure in result.known_measures()]
    left_out = ""
    if result.skipped:
        names = "".join(f"<li>{escape(line)}</li>" for line in result.skipped)
        left_out = f"<details><summary>{len(result.skipped)} left out</summary><ul>{names}</ul></details>"
    scenes = "".join(map(_scene, result.scenes))
    return (
        f"<h2>{escape(result.domain.name)}</h2>"
        f'<p class="soft">{len(result.items)} {_KINDS[result.domain.kind]}</p>{left_out}'
        f"{_table(head + '<th class=say></th>', rows)}{_meanings(result)}{scenes}"
    )


def _meanings(result: DomainResult) -> str:
    """What the lines mean, for screens too narrow for the column that says so."""
    lines = (f"<dt>{escape(one.title)}</dt><dd>{escape(one.meaning)}</dd>" for one in result.known_measures())
    return f'<details class="meanings"><summary>What the lines mean</summary><dl>{"".join(lines)}</dl></details>'


def _table(head: str, rows: list[str]) -> str:
    return f'<div class="wide"><table><thead><tr><th></th>{head}</tr></thead>{"".join(rows)}</table></div>'


def _row(measure: Measure, result: DomainResult, methods: list[str], name: str = "") -> str:
    values = {method: result.means.get(method, {}).get(measure.key, math.nan) for method in methods}
    best = measure.best(value for method, value in values.items() if method not in ("untouched", "clear"))
    cells = []
    for method, value in values.items():
        first = method not in ("untouched", "clear") and best is not None and round(value, measure.digits) == best
        cells.append(f"<td{' class=best' if first else ''}>{measure.show(value)}</td>")
    unit = f" <small>{escape(measure.unit)}</small>" if measure.unit else ""
    title = f"{escape(name)} <small>{escape(measure.title)}</small>" if name else escape(measure.title)
    say = "" if name else f'<td class="say">{escape(measure.meaning)}</td>'
    return f"<tr><td>{title}{unit} {_ARROWS[measure.better]}</td>{''.join(cells)}{say}</tr>"


def _scene(scene: Scene) -> str:
    figures = "".join(map(_figure, scene.panels))
    return f'<h3>{escape(scene.name)} <small>{escape(scene.why)}</small></h3><div class="row">{figures}</div>'


def _figure(panel: Panel) -> str:
    data = base64.b64encode(panel.jpeg).decode("ascii")
    caption = escape(panel.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/jpeg;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    )
