"""Equal responses have equal bytes; only a problem's detail may differ."""

import pytest

from clients.comparison.equality import broken_invariants, canonical_json, first_difference
from clients.http1.exchange import Exchange
from clients.http1.response_parser import Response

PROBLEM = {"type": "/problems/bad_host", "title": "T", "status": 400, "code": "bad_host", "detail": "one"}
# Copied from section 1 of the contract (servers/contract/README.md).
COMPARED = (
    "Content-Type",
    "Content-Length",
    "Allow",
    "ETag",
    "Accept-Ranges",
    "Content-Range",
    "Content-Disposition",
    "Repr-Digest",
    "WWW-Authenticate",
    "Retry-After",
    "Location",
    "Content-Location",
    "Accept-Patch",
    "Tus-Resumable",
    "Tus-Max-Size",
    "Upload-Offset",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Complete",
    "Upload-Limit",
    "Upload-Expires",
)


def response(status: int, body: bytes, content_type: str = "application/json", **headers: str) -> Response:
    fields = [("content-type", content_type), ("content-length", str(len(body)))]
    fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Response(status, tuple(fields), body)


def problem(**members: object) -> Response:
    return response(400, canonical_json({**PROBLEM, **members}), "application/problem+json")


def difference(left: Response, right: Response) -> str | None:
    return first_difference(Exchange((left,)), Exchange((right,)))


def test_equal_bytes_are_equal() -> None:
    assert difference(response(200, b"{}\n"), response(200, b"{}\n", date="today", server="x")) is None


@pytest.mark.parametrize(
    ("left", "right", "key"),
    [
        (response(200, b"{}\n"), response(201, b"{}\n"), "status: 200 and 201"),
        (response(200, b""), response(200, b"", allow="GET"), "allow: None and 'GET'"),
        (response(200, b"{}", "text/plain"), response(200, b"{}"), "content-type: "),
        (response(200, b'{"a":1}'), response(200, b'{"a":2}'), "a: 1 and 2"),
        (response(200, b'{"a":[{"b":1}]}'), response(200, b'{"a":[{"b":2}]}'), "a[0].b: 1 and 2"),
        (response(200, b'{"a":1}'), response(200, b'{"b":1}'), "a: only in the first"),
        (response(200, b'{"a": 1}'), response(200, b'{"a":1 }'), "body, byte 5: "),
        (
            response(200, b"abc", "text/plain"),
            response(200, b"abd", "text/plain"),
            "body, byte 2: b'c' and b'd'",
        ),
        (problem(), problem(code="bad_header"), "code: 'bad_host' and 'bad_header'"),
        (problem(), problem(extra=1), "extra: only in the second"),
    ],
)
def test_the_first_differing_key_is_named(left: Response, right: Response, key: str) -> None:
    assert (difference(left, right) or "").startswith(key)


@pytest.mark.parametrize("name", COMPARED)
def test_each_compared_header_is_compared(name: str) -> None:
    """Both bodies are equal, so an absent Content-Length is a difference too."""
    fields = tuple((header.lower(), "1") for header in COMPARED)
    without = tuple(field for field in fields if field[0] != name.lower())
    left, right = Response(200, fields, b"v"), Response(200, without, b"v")
    assert difference(left, left) is None
    assert difference(left, right) == f"{name.lower()}: '1' and None"
    assert difference(right, left) == f"{name.lower()}: None and '1'"


_ID, _OTHER = "/resumable/" + "0a" * 16, "/resumable/" + "f9" * 16
_DATE, _LATER = "Wed, 02 Dec 2026 00:15:00 GMT", "Thu, 03 Dec 2026 11:59:59 GMT"


@pytest.mark.parametrize(
    ("name", "one", "other", "equal"),
    [
        ("Location", _ID, _OTHER, True),
        ("Location", _ID, _OTHER + "0", False),
        ("Location", _ID, _OTHER.upper(), False),
        ("Location", _ID, f"http://localhost{_OTHER}", False),
        ("Location", "ui/", "ui", False),
        ("Content-Location", _ID, _OTHER, False),
        ("Upload-Expires", _DATE, _LATER, True),
        ("Upload-Expires", _DATE, _LATER.replace("GMT", "UTC"), False),
        ("Upload-Expires", _DATE, _LATER.removesuffix(" GMT"), False),
        ("Retry-After", _DATE, _LATER, False),
    ],
)
def test_only_what_is_random_in_a_field_is_replaced(name: str, one: str, other: str, equal: bool) -> None:
    left, right = Response(201, ((name.lower(), one),), b""), Response(201, ((name.lower(), other),), b"")
    assert (difference(left, right) is None) is equal


def test_only_the_detail_of_a_problem_is_free() -> None:
    assert difference(problem(), problem(detail="another sentence")) is None


def test_the_message_of_an_openai_error_is_the_detail() -> None:
    assert (
        difference(problem(error={"message": "a", "type": "t"}), problem(error={"message": "b", "type": "t"}))
        is None
    )
    assert difference(
        problem(error={"message": "a", "type": "t"}), problem(error={"message": "a", "type": "u"})
    )


def test_a_success_with_a_detail_is_compared_in_full() -> None:
    left, right = (response(200, canonical_json({**PROBLEM, "detail": detail})) for detail in ("a", "b"))
    assert difference(left, right) == "detail: 'a' and 'b'"


def test_a_close_differs_from_a_response() -> None:
    assert first_difference(Exchange(closed=True), Exchange((problem(),))) == "number of responses: 0 and 1"
    assert first_difference(Exchange(closed=True), Exchange(closed=True)) is None


@pytest.mark.parametrize("body", [b"{}\n", b'{"a":[1,2.5,null],"b":"\\u00e9"}\n', b"12345678901234567890\n"])
def test_canonical_json_breaks_nothing(body: bytes) -> None:
    assert list(broken_invariants(response(200, body), head=False)) == []


@pytest.mark.parametrize(
    "body",
    [b"{}", b"{} \n", b'{"b":1,"a":2}\n', b'{"a": 1}\n', '{"a":"\u00e9"}\n'.encode(), b"{}\n\n", b"NaN\n"],
)
def test_json_in_another_spelling_is_broken(body: bytes) -> None:
    assert list(broken_invariants(response(200, body), head=False))


def test_a_content_length_must_be_that_of_the_body() -> None:
    lying = Response(200, (("content-length", "9"),), b"abc")
    assert list(broken_invariants(lying, head=False)) == ["content-length: 9, but the body has 3 bytes"]
    assert list(broken_invariants(Response(200, (("content-length", "9"),), b""), head=True)) == []


def test_head_of_a_problem_is_compared_without_the_length_that_its_detail_decides() -> None:
    left, right = (Response(404, (("content-length", length),), b"") for length in ("90", "95"))
    assert difference(left, right) is None
