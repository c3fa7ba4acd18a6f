"""The component of the page as one script: every module becomes a function, and what cannot is refused."""

import json
import re
import shutil
import subprocess

import pytest

from clients.assessment.first_look import first_look
from clients.assessment.told import Told
from clients.html_pages.wire_component import MODULES, NotBundled, bundled, wire_component
from clients.launch import PROJECT_ROOT

_PAGE = PROJECT_ROOT / "servers" / "web" / "page"


def _of_the_page(name: str) -> str:
    return (_PAGE / name).read_text("utf-8")


def test_each_module_stands_once_and_behind_what_it_imports() -> None:
    script = bundled(MODULES, _of_the_page)
    order = re.findall(r'^modules\["([^"]+)"\] = ', script, re.MULTILINE)
    assert len(order) == len(set(order)) > 10
    assert set(MODULES) <= set(order)
    assert "api.js" not in order
    for name in order:
        imported = re.findall(r'from "\./([^"]+)"', _of_the_page(name))
        assert all(order.index(each) < order.index(name) for each in imported)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the script is NOT run")
def test_what_the_modules_export_is_there() -> None:
    first = "export const a = 1;\nexport function f() {\n  return a;\n}\nconst own = 2;\nexport { own };\n"
    second = 'import { a, f } from "./a.js";\nexport class C {}\nexport const sum = a + f();\n'
    script = bundled(("b.js",), {"a.js": first, "b.js": second}.__getitem__)
    shown = "console.log(JSON.stringify([Object.keys(modules['a.js']), modules['b.js'].sum]))"
    run = subprocess.run(["node", "-"], input=script + shown, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == [["a", "f", "own"], 2]


@pytest.mark.parametrize(
    "source",
    [
        'import * as all from "./a.js";\n',
        'import { a as b } from "./a.js";\n',
        'import "./a.js";\n',
        "export default 1;\n",
        'export const load = () => import("./a.js");\n',
        'import { c } from "./c.js";\nexport const d = c;\n',
    ],
)
def test_a_module_of_another_form_is_refused(source: str) -> None:
    files = {"a.js": "export const a = 1;\n", "c.js": source}
    with pytest.raises(NotBundled):
        bundled(("c.js",), files.__getitem__)


@pytest.mark.parametrize("text", ["</script>", "<!--", "</STYLE >", "<script"])
def test_a_component_that_would_end_its_element_is_refused(text: str) -> None:
    with pytest.raises(NotBundled):
        wire_component(lambda name: f'export const text = "{text}";\n' if name == "spans.js" else "")


def test_a_reader_looks_first_at_the_value_that_is_told_otherwise() -> None:
    told = Told(frozenset({"form", "files", "json"}), frozenset({"filename"}))
    right = {
        "form": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}],
        "files": [
            {"name": None, "filename": None},
            {"name": "f", "filename": "x", "sha256": "0"},
            {"name": "e", "filename": ""},
        ],
        "json": None,
    }
    same = {"form": {"a": ["1", "2"]}, "files": {"f": {"filename": "x"}, "e": {"filename": None}}}
    assert first_look(right, same, told) == ""
    assert first_look(right, {**same, "form": {"a": ["1", "3"]}}, told) == "form[1].value"
    assert first_look(right, {**same, "form": {"a": "1"}}, told) == "form[1].value"
    assert first_look(right, {**same, "files": {"e": {}}}, told) == "files[1].filename"
    assert first_look(right, {**same, "form": {}}, Told(frozenset({"files"}))) == ""
    assert first_look({"json": {"a": 1}}, {"json": {"a": 2}}, told) == "json"
