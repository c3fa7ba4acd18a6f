"""Which requests an endpoint gets, and their bytes."""

import pytest

from clients.assessment.endpoint import Fields
from clients.assessment.fitting import fitted_cases, fitted_request, kind_of
from clients.comparison.cases import Case
from clients.comparison.expectation import Expectation
from tests.assessment.serving import endpoint
from tests.recorded import recorded_cases

_POST = b"POST /upload/ HTTP/1.1\r\nHost: localhost:8000\r\nContent-Length: 1\r\n\r\na"


def fitted(request: bytes, url: str = "http://h:81/a/b", fields: Fields = ()) -> bytes | None:
    return fitted_request(request, endpoint(url, fields))


def test_target_and_host_become_those_of_the_endpoint_and_nothing_else_changes() -> None:
    assert fitted(_POST) == b"POST /a/b HTTP/1.1\r\nHost: h:81\r\nContent-Length: 1\r\n\r\na"
    assert fitted(b"GET / HTTP/1.0\r\n\r\n") == b"GET /a/b HTTP/1.0\r\n\r\n"
    assert fitted(b"GET / HTTP/1.1\nhost:localhost:8000\n\n") == b"GET /a/b HTTP/1.1\nhost:h:81\n\n"


@pytest.mark.parametrize(
    ("target", "url", "expected"),
    [
        (b"/?a=b", "http://h/p", b"/p?a=b"),
        (b"/?a=b", "http://h/p?k=1", b"/p?k=1&a=b"),
        (b"/", "http://h/p?k=1", b"/p?k=1"),
        (b"/?", "http://h/p", b"/p?"),
    ],
)
def test_the_query_of_a_case_is_added_to_that_of_the_url(target: bytes, url: str, expected: bytes) -> None:
    request = b"GET %b HTTP/1.1\r\nHost: localhost:8000\r\n\r\n"
    found = fitted(request % target, url)
    assert found == b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % expected


def test_fields_of_the_endpoint_stand_before_those_of_the_case() -> None:
    found = fitted(_POST, fields=(("X-Key", "é"),))
    assert found == b"POST /a/b HTTP/1.1\r\nX-Key: \xe9\r\nHost: h:81\r\nContent-Length: 1\r\n\r\na"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /files/x HTTP/1.1\r\nHost: localhost:8000\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n",
        b"POST  / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: another.example\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost:8000\r\nHost: b\r\n\r\n",
        b"POST / HTTP/2.0\r\nHost: localhost:8000\r\n\r\n",
        b"\r\nPOST / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n",
    ],
)
def test_what_is_for_another_route_or_name_does_not_fit(request_bytes: bytes) -> None:
    assert fitted(request_bytes) is None


def test_a_case_that_sends_the_field_itself_does_not_fit() -> None:
    request = b"POST / HTTP/1.1\r\nHost: localhost:8000\r\nauthorization : x\r\n\r\n"
    assert fitted(request, fields=(("Authorization", "y"),)) is None
    assert fitted(request) is not None


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"GET / HTTP/1.1", "none"),
        (b"GET / HTTP/1.1\r\nContent-Type: text/plain", "text"),
        (b"POST / HTTP/1.1", "text"),
        (b"POST / HTTP/1.1\r\ncontent-type:Multipart/Form-Data;boundary=b", "multipart"),
        (b"POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded", "urlencoded"),
        (b"POST / HTTP/1.1\r\nContent-Type: application/problem+json", "json"),
        (b"POST / HTTP/1.1\r\nContent-Type: image/png", "bytes"),
        (b"POST / HTTP/1.1\r\nX: y\r\n\r\nContent-Type: image/png", "text"),
    ],
)
def test_the_kind_of_a_body_follows_its_content_type(head: bytes, kind: str) -> None:
    assert kind_of(head + b"\r\n\r\n") == kind


def case(expect: object, **changes: object) -> Case:
    fields: dict[str, object] = {
        "name": "n",
        "title": "t",
        "rules": ("M1",),
        "tier": 1,
        "request": _POST,
        "expect": Expectation.parse(expect),
    }
    return Case(**(fields | changes))  # type: ignore[arg-type]  # the types are those of Case


@pytest.mark.parametrize(
    ("one", "fits"),
    [
        (case({"status": 200}), True),
        (case({"status": 400}), True),
        (case({"refused": True}), True),
        (case({"status": 413}), False),
        (case({"status": 421}), False),
        (case({"closed": True}), False),
        (case([{"status": 200}, {"status": 200}]), False),
        (case({"status": 200, "extra": True}), False),
        (case({"status": 200}, tier=3), False),
        (case({"status": 200}, store=("a.txt",)), False),
        (case({"status": 400}, rules=("B33",)), False),
        (case({"status": 200}, rules=("M1", "P12")), False),
        (case({"status": 200}, client="requests"), False),
    ],
)
def test_only_what_every_server_should_do_is_judged(one: Case, fits: bool) -> None:
    assert bool(list(fitted_cases([one], endpoint("http://h/")))) is fits


def test_recorded_splits_move_with_the_head() -> None:
    at = len(_POST) - 1
    (found,) = fitted_cases([case({"status": 200}, splits=(at,))], endpoint("http://long.example/path/to/it"))
    assert found.request[found.splits[0] :] == _POST[at:]


def test_most_requests_with_a_form_fit() -> None:
    forms = [case for case in recorded_cases() if case.path and case.path.parent.name.startswith("multipart")]
    assert len(list(fitted_cases(forms, endpoint("http://h/")))) > 0.8 * len(forms)
