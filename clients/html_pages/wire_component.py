"""The wire view of the page `/ui/`, as one script and one style sheet for a report that is a single file.

A running server of ours sends the modules and the style sheets, so the report shows bytes with the very code
of the page. A file that is opened from a disk may load no modules, so they become functions in one script.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

MODULES = ("wire_view.js", "spans.js", "written.js")
"""What the report uses. The modules that these import come with them."""

STYLE_SHEETS = ("style.css", "bytes.css", "wire.css")

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([a-z0-9_]+\.js)";\n', re.MULTILINE)
_DECLARED = re.compile(
    r"^export (?=(?:async )?(?:const|let|function|class) ([A-Za-z_$][\w$]*))", re.MULTILINE
)
_LISTED = re.compile(r"^export \{([^}]*)\};\n", re.MULTILINE)
_LEFT = re.compile(r"^\s*(?:import|export)\b|\bimport\(|\bimport\.meta", re.MULTILINE)
# What ends a script or style element, or changes how its end is found (HTML, section 13.2.5.15 on).
_ENDS_ELEMENT = re.compile(r"</(?:script|style)|<!--|<script", re.IGNORECASE)

Fetch = Callable[[str], str]
"""Gives the text of a file of the page, by its name."""


class NotBundled(Exception):
    """A module is written in a way that cannot become a part of one script; the message says which."""


@dataclass(frozen=True, slots=True)
class WireComponent:
    """`script` defines the object `modules`: what each module exports, by the name of its file."""

    script: str
    style: str


def wire_component(fetch: Fetch) -> WireComponent:
    """The component of the server whose files `fetch` gives. Raises NotBundled, and what `fetch` raises."""
    component = WireComponent(bundled(MODULES, fetch), "".join(fetch(name) for name in STYLE_SHEETS))
    if _ENDS_ELEMENT.search(component.script) or _ENDS_ELEMENT.search(component.style):
        raise NotBundled("a text in it would end the element that it stands in")
    return component


def bundled(names: tuple[str, ...], fetch: Fetch) -> str:
    """One script with these modules and all that they import, each behind what it imports."""
    done: dict[str, str] = {}
    under_way: list[str] = []

    def add(name: str) -> None:
        if name in done:
            return
        if name in under_way:
            raise NotBundled(f"{name} imports itself through {', '.join(under_way)}")
        under_way.append(name)
        source = fetch(name)
        for found in _IMPORT.finditer(source):
            add(found[2])
        done[name] = _as_function(name, source)
        under_way.remove(name)

    for name in names:
        add(name)
    return "const modules = {};\n" + "".join(done.values())


def _as_function(name: str, source: str) -> str:
    """The module as a function whose result is what it exports."""
    exported = [found[1] for found in _DECLARED.finditer(source)]
    for found in _LISTED.finditer(source):
        exported += [each.strip() for each in found[1].split(",") if each.strip()]
    body = _IMPORT.sub(lambda found: f'const {{{found[1]}}} = modules["{found[2]}"];\n', source)
    body = _LISTED.sub("", _DECLARED.sub("", body))
    left = _LEFT.search(body)
    if left is not None or " as " in "".join(found[1] for found in _IMPORT.finditer(source)):
        raise NotBundled(f"{name} has an import or export of another form")
    return f'modules["{name}"] = (() => {{\n{body}return {{ {", ".join(exported)} }};\n}})();\n'
