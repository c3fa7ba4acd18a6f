"""`/ui/` and its files, and which requests for `/` lead there."""

import hashlib
import re

import pytest

from servers.contract.problems import Problem
from servers.contract.request import ParsedBody, ParsedRequest, RequestHead
from servers.contract.responses import Response
from servers.routes import TABLE
from servers.routes.page import FOLDER, POLICY
from servers.settings import Settings
from tests.contract.heads import head
from tests.routes.faulty_store import FaultyStore

_CONTEXT = Settings().context(FaultyStore())
_FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def _get(path: str, method: str = "GET", **fields: str) -> Response:
    return _respond(
        head(method, path, fields={name.replace("_", "-"): value for name, value in fields.items()})
    )


def _respond(wanted: RequestHead) -> Response:
    return TABLE.find(wanted).handler(ParsedRequest(wanted, ParsedBody()), _CONTEXT)


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.iterdir()))
def test_each_file_of_the_page_is_sent_as_it_is(name: str) -> None:
    response = _get(f"/ui/{name}")
    fields = dict(response.headers)
    assert response.body == (FOLDER / name).read_bytes()
    assert fields["Content-Security-Policy"] == POLICY
    assert fields["X-Content-Type-Options"] == "nosniff"
    assert fields["Cache-Control"] == "no-cache"
    kinds = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    assert fields["Content-Type"].partition(";")[0] == kinds[name.rpartition(".")[2]]


def test_the_policy_allows_nothing_from_elsewhere_and_nothing_inline() -> None:
    assert POLICY.startswith("default-src 'none'")
    assert set(re.findall(r"'[a-z-]+'", POLICY)) == {"'none'", "'self'"}


def test_the_folder_is_its_index() -> None:
    assert _get("/ui/").body == _get("/ui/index.html").body
    assert _get("/ui/", "HEAD").head_only


def test_a_client_that_has_the_file_gets_304() -> None:
    fields = dict(_get("/ui/").headers)
    data = (FOLDER / "index.html").read_bytes()
    assert fields["ETag"] == f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    assert _get("/ui/", if_none_match=fields["ETag"]).status == 304
    assert _get("/ui/", if_none_match='"other"').status == 200


@pytest.mark.parametrize(
    "path",
    ["/ui/none.js", "/ui/../page.py", "/ui/..%2fa.js", "/ui/.js", "/ui/a/b.js", "/ui/page.py", "/ui/x"],
)
def test_nothing_else_is_sent(path: str) -> None:
    with pytest.raises(Problem) as raised:
        _get(path)
    assert raised.value.code == "not_found"


def test_without_its_slash_the_folder_leads_there() -> None:
    response = _get("/ui")
    assert (response.status, dict(response.headers)["Location"]) == (303, "ui/")


@pytest.mark.parametrize(
    ("accept", "leads"),
    [
        (_FIREFOX, True),
        ("text/html", True),
        ("TEXT/HTML ; Q=0.5", True),
        ("text/*", True),
        ("application/json;q=0.1, */*", True),
        ("text/html, application/json;q=0", True),
        ("*/*", False),
        ("", False),
        ("text/html, application/json", False),
        ("text/html;q=0.5, application/json;q=0.6", False),
        ("text/html;q=0", False),
        ("text/html;q=0, */*", False),
        ("text/html;level=1", False),
        ("text/html;q=2", False),
        ("text html", False),
        ("application/*, text/html", False),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_root_leads_to_the_page_if_html_is_preferred(method: str, accept: str, leads: bool) -> None:
    found = TABLE.find(head(method, "/", fields={"accept": accept}))
    assert (found.name == "home") == leads


def test_other_requests_with_such_an_accept_are_echoes() -> None:
    assert TABLE.find(head("GET", "/")).name == "echo"
    for method, path in (
        ("POST", "/"),
        ("PUT", "/"),
        ("OPTIONS", "/"),
        ("GET", "/a"),
        ("GET", "/index.html"),
    ):
        assert TABLE.find(head(method, path, fields={"accept": _FIREFOX})).name == "echo"
