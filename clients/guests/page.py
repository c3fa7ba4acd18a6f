"""The matrix as one HTML page that needs nothing else: sortable, and filtered by guest and by text."""

from collections.abc import Iterator
from datetime import date
from html import escape
from pathlib import Path

from ..assessment.groups import Group
from ..comparison.cases import Case
from ..comparison.rendering import show_request
from .matrix import Column, Matrix

_HERE = Path(__file__).parent
_REQUEST_LINES = 40
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>How {count} parsers read the same uploads</title>
<style>
{style}</style>
<main>
{body}</main>
<script>
{script}</script>
</html>
"""
_HEADINGS = ("guest", "version", "asked", "silent losses", "failures", "refuses what clients send")
_GROUPS = (Group.SILENT_LOSS, Group.CRASH, Group.REFUSES_CLIENTS)


def matrix_page(matrix: Matrix, day: date) -> str:
    """The page."""
    style, script = (_HERE / name for name in ("page.css", "page.js"))
    return _PAGE.format(
        count=len(matrix.columns),
        style=style.read_text("utf-8"),
        script=script.read_text("utf-8"),
        body="".join(_body(matrix, day)),
    )


def _body(matrix: Matrix, day: date) -> Iterator[str]:
    alike = sum(len(matrix.groups(case.name)) == 1 for case in matrix.inputs)
    what = f"{len(matrix.columns)} parsers read {len(matrix.inputs)} uploads."
    yield f"<h1>{what} <em>All agree on {alike}.</em></h1>\n"
    yield (
        f'<p class="sub">Each parser with its defaults, measured on {day.isoformat()}. A request that two '
        "parsers read differently can pass a firewall as one thing and reach an application as another.</p>\n"
    )
    yield from _guests(matrix)
    yield from _filters(matrix)
    yield '<div id="inputs">\n'
    yield from (_input(matrix, case) for case in matrix.inputs)
    yield "</div>\n"


def _guests(matrix: Matrix) -> Iterator[str]:
    yield '<div class="scroll" tabindex="0"><table id="guests">\n<thead><tr>'
    for number, heading in enumerate(_HEADINGS):
        css_class = "number" if number > 1 else ""
        yield f'<th scope="col" class="{css_class}"><button type="button">{escape(heading)}</button></th>'
    yield "</tr></thead>\n<tbody>\n"
    for column in matrix.columns:
        numbers = [len(column.readings), *(len(column.cases_in(group)) for group in _GROUPS)]
        cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
        version = escape(column.version or "this one")
        yield f'<tr><th scope="row">{escape(column.title)}</th><td>{version}</td>{cells}</tr>\n'
    yield "</tbody></table></div>\n"
    for title, why in matrix.absent.items():
        yield f'<p class="sub">Left out: {escape(title)} ({escape(why.splitlines()[0])})</p>\n'


def _filters(matrix: Matrix) -> Iterator[str]:
    yield '<form id="filters">\n'
    yield '<label>Find <input type="search" id="find" placeholder="rule, name, reading"></label>\n'
    options = "".join(
        f'<option value="{escape(column.name)}">{escape(column.title)}</option>' for column in matrix.columns
    )
    for label, name, anyone in (("Passes", "front", "any guest"), ("Read otherwise by", "guest", "anyone")):
        any_option = f'<option value="">{anyone}</option>'
        yield f'<label>{label} <select id="{name}">{any_option}{options}</select></label>\n'
    yield '<label>Order <select id="order"><option value="rule">by rule</option>'
    yield '<option value="readings">most readings first</option></select></label>\n'
    yield '<output id="shown"></output>\n</form>\n'


def _input(matrix: Matrix, case: Case) -> str:
    groups = matrix.groups(case.name)
    bar = "".join(f'<i style="flex:{len(columns)}"></i>' for _, columns in groups)
    rows = "".join(
        f'<li class="{reading.outcome}"><code>{escape(reading.line)}</code>'
        f"<p>{''.join(map(_chip, columns))}</p></li>\n"
        for reading, columns in groups
    )
    most = " ".join(column.name for column in groups[0][1]) if groups else ""
    return (
        f'<details data-most="{escape(most)}" data-readings="{len(groups)}">'
        f"<summary><b>{escape(case.rules[0])}</b> <span>{escape(case.title)}</span>"
        f'<span class="bar" title="{len(groups)} readings">{bar}</span></summary>\n'
        f"<ul>{rows}</ul>\n<pre>{escape(show_request(case.request, _REQUEST_LINES))}</pre>\n"
        f"<p><code>{escape(case.name)}</code></p></details>\n"
    )


def _chip(column: Column) -> str:
    return f'<span class="chip" data-guest="{escape(column.name)}">{escape(column.title)}</span> '
