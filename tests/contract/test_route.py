"""The route table: paths and methods (rules R38, R39, S4; contract section 2)."""

import pytest

from servers.contract.problems import Problem
from servers.contract.route import CLOSED_PREFIXES, METHODS
from servers.routes import ROUTES, TABLE
from tests.contract.heads import head

_SHA256 = "0" * 64
_NAMED = {
    "/upload/": ("upload", "POST, PUT"),
    "/upload": ("upload", "POST, PUT"),
    "/upload/a.txt": ("put_file", "PUT"),
    "/upload/..": ("put_file", "PUT"),
    "/upload/a%2Fb": ("put_file", "PUT"),
    f"/files/{_SHA256}": ("files", "GET, HEAD"),
    "/files/anything": ("files", "GET, HEAD"),
    "/problems/not_found": ("problems", "GET, HEAD"),
    "/healthz": ("healthz", "GET, HEAD"),
    "/stream_echo": ("stream_echo", "POST"),
    "/v1/chat/completions": ("chat", "POST"),
    "/v1/models": ("models", "GET, HEAD"),
}
_ECHOED = [
    "/",
    "*",
    "/a/b",
    "/uploads",
    "/upload%2F",
    "/UPLOAD/",
    "/files",
    "/problems",
    "/healthz/",
    "/v1",
    "/ui",
    "/\n",
]
_NOT_FOUND = [
    "/upload/a/b",
    "/upload//",
    "/files/",
    "/files/a/b",
    "/problems/",
    "/requests/",
    "/ui/",
    "/v1/",
    "/v1/models/",
]


def _code_of(method: str, path: str) -> Problem:
    with pytest.raises(Problem) as raised:
        TABLE.find(head(method, path))
    return raised.value


def test_every_route_is_under_test() -> None:
    assert {route.name for route in ROUTES} == {name for name, _ in _NAMED.values()} | {"echo"}
    assert len({route.name for route in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize("path", _NAMED)
def test_a_named_route_lists_its_methods_in_allow(path: str) -> None:
    """S4: Allow is sorted, GET implies HEAD, OPTIONS is a method like any other."""
    name, allow = _NAMED[path]
    for method in METHODS:
        if method in allow.split(", "):
            assert TABLE.find(head(method, path)).name == name
        else:
            problem = _code_of(method, path)
            assert (problem.code, problem.headers) == ("method_not_allowed", (("Allow", allow),))


@pytest.mark.parametrize("path", _ECHOED)
def test_any_other_path_is_an_echo_for_every_method(path: str) -> None:
    assert [TABLE.find(head(method, path)).name for method in METHODS] == ["echo"] * len(METHODS)


@pytest.mark.parametrize("path", _NOT_FOUND)
def test_a_closed_prefix_has_no_echo_below_it(path: str) -> None:
    assert path.startswith(CLOSED_PREFIXES)
    assert [_code_of(method, path).code for method in METHODS] == ["not_found"] * len(METHODS)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW", "get", "Post", "GETT", "!#$"])
@pytest.mark.parametrize("path", ["/", "/upload/", "/files/", "/v1/none"])
def test_any_other_method_is_not_implemented_on_every_path(method: str, path: str) -> None:
    """R38, R39: 501 goes before 404 and 405."""
    assert _code_of(method, path).code == "method_not_implemented"
