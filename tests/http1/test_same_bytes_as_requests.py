"""The socket client puts the same bytes on the wire as requests, whatever requests accepts.

requests runs with all of urllib3 and http.client against a recording connection: the order of the fields and
the framing are compared too. User-Agent and Accept-Encoding alone are left out.
"""

import io
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from clients.http1 import requests_transport, socket_transport
from clients.http1.upload_call import Call
from tests.http1.requests_recorder import BOUNDARY, bytes_of_requests, without_own_fields

URL = "http://localhost:8000/a/b"

# Few letters, so that names meet again, and all that needs an escape somewhere.
AWKWARD = "ab1 \"'\\\r\n\t\0;:,=&+%#?/@[]{}|^~*._-$!äéß€漢😀\x7f\x80\xff<>()`"
TEXT = st.text(alphabet=AWKWARD, max_size=8)
UNICODE = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NAMES = TEXT | UNICODE | st.sampled_from(["", "a", 'q"', "\r\n", "naïve", "a[]"])
# A field's value: no control characters, and it begins with something visible.
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=8)
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "get", "post", "Brew"])


@dataclass(frozen=True)
class Made:
    """An object that can be read once only, and is therefore made anew for each client."""

    kind: str
    content: Any

    def make(self) -> Any:
        """The object."""
        match self.kind:
            case "BytesIO":
                return io.BytesIO(self.content)
            case "StringIO":
                return io.StringIO(self.content)
            case "part-read":
                stream = io.BytesIO(b"skipped" + self.content)
                stream.seek(7)
                return stream
            case "bytearray":
                return bytearray(self.content)
            case _:
                return iter(self.content)


def made(value: Any) -> Any:
    """`value` with an object for each `Made` in it."""
    if isinstance(value, Made):
        return value.make()
    if isinstance(value, dict):
        return {name: made(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(made(item) for item in value)
    return value


SCALARS = NAMES | st.binary(max_size=6) | st.integers() | st.floats() | st.booleans() | st.none()
VALUES = SCALARS | st.recursive(
    st.lists(SCALARS, max_size=3) | st.tuples(SCALARS) | st.dictionaries(NAMES, SCALARS, max_size=2),
    lambda inner: st.lists(SCALARS | inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=6,
)
KEYS = NAMES | st.binary(max_size=6)
PAIRS = st.dictionaries(KEYS | st.integers(), VALUES, max_size=4) | st.lists(
    st.tuples(KEYS | st.integers(), VALUES), max_size=4
)

STREAMS = (
    st.builds(Made, st.sampled_from(["BytesIO", "part-read", "bytearray"]), st.binary(max_size=20))
    # requests counts the characters of a text stream, which gives a wrong Content-Length unless it is ASCII.
    | st.builds(Made, st.just("StringIO"), st.text(st.characters(max_codepoint=0x7F), max_size=8))
    | st.builds(Made, st.just("iterator"), st.lists(st.binary(max_size=6) | NAMES, max_size=4))
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)

CONTENTS = (
    st.binary(max_size=20)
    | NAMES
    | st.integers()
    | st.builds(Made, st.sampled_from(["BytesIO", "part-read", "bytearray"]), st.binary(max_size=20))
    | st.builds(Made, st.just("StringIO"), TEXT)
)
FILENAMES = st.none() | NAMES
PART_TYPES = st.none() | st.sampled_from(["", "text", "docx", "text/plain; charset=utf-8", "ü/x"])
PART_HEADERS = st.none() | st.dictionaries(
    st.sampled_from(
        ["a", "X-Tag", "Content-Type", "Content-Disposition", "content-type", "Content-Location"]
    ),
    VISIBLE | st.just(""),
    max_size=3,
)
FILES = (
    CONTENTS
    | st.tuples(FILENAMES, CONTENTS | st.none())
    | st.tuples(FILENAMES, CONTENTS, PART_TYPES)
    | st.tuples(FILENAMES, CONTENTS, PART_TYPES, PART_HEADERS)
    | st.tuples(FILENAMES, CONTENTS).map(list)
)
FILE_LISTS = st.dictionaries(NAMES, FILES, min_size=1, max_size=3) | st.lists(
    st.tuples(NAMES, FILES), min_size=1, max_size=3
)
# Numbers as names make requests fail in a form with files.
FIELDS = st.dictionaries(KEYS, VALUES, max_size=3) | st.lists(st.tuples(KEYS, VALUES), max_size=3)

FIELD_NAMES = st.sampled_from(
    [
        "X-A",
        "x-a",
        "Accept",
        "accept",
        "Connection",
        "Content-Type",
        "Cookie",
        "Authorization",
        "Host",
        "Expect",
    ]
) | st.from_regex(r"[!#$%&'*+.^_`|~A-Za-z-]{1,6}", fullmatch=True)
HEADERS = st.dictionaries(
    FIELD_NAMES, VISIBLE | VISIBLE.map(str.encode) | st.just("") | st.none(), max_size=4
)
COOKIE_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=8) | st.sampled_from(
    ['"quoted"', '"a\\"b"', '"\\\\""', '"', ""]
)
COOKIES = st.dictionaries(COOKIE_TEXT, COOKIE_TEXT, max_size=3)
LATIN1 = st.text(st.characters(max_codepoint=0xFF), max_size=8)
AUTH = st.none() | st.tuples(LATIN1 | st.binary(max_size=6), LATIN1 | st.binary(max_size=6))

HOSTS = st.sampled_from(
    [
        *(
            "localhost",
            "LOCALHOST:8000",
            "127.0.0.1:8000",
            "[::1]",
            "[::1]:8000",
            "h.example.:81",
            "h:80",
            "h:443",
        ),
        *(
            "bücher.example",
            "h:",
            "h:0081",
            "h:0",
            "[fe80::1%25eth0]:8000",
            "[FE80::1%eth0]",
            "xn--bcher-kva.x",
        ),
    ]
)
USERINFO = st.sampled_from(["", "u:p@", "u@", ":@", "u:@", "%C3%BC:p%40@", "a b:ü@", "a@b:c@", "u%zz:p@"])
ESCAPES = st.text(alphabet='%41fFzZ2 e/.?#&=a+~ä\\;:@![]"<>^`{|}\r\n\t\0', max_size=12)


@st.composite
def urls(draw: st.DrawFn) -> str:
    """URLs with all that is normalised on the way."""
    path = draw(st.sampled_from(["", "/", "/a/b", "//a", "/a/../b/.", "/..", "/../", "/a//b/./c/..", "\\a"]))
    path += draw(ESCAPES) if path else ""
    query = draw(st.just("") | ESCAPES.map(lambda text: "?" + text) | st.just("?q=1&r=23"))
    fragment = draw(st.just("") | ESCAPES.map(lambda text: "#" + text))
    scheme = draw(st.sampled_from(["http", "https", "HTTP", " http"]))
    return f"{scheme}://{draw(USERINFO)}{draw(HOSTS)}{path}{query}{fragment}"


def check(method: str, url: str, *transports: ModuleType, **arguments: Any) -> None:
    """All clients send what requests sends. What requests does not send does not count as an example."""
    try:
        theirs = bytes_of_requests(method, url, **made(arguments))
    except (ValueError, OSError, TypeError, AttributeError):
        reject()
    boundary = BOUNDARY if arguments.get("files") else None
    for transport in transports or (socket_transport,):
        ours = bytearray()
        transport.dry_run(Call(method, url, **made(arguments), boundary=boundary), ours.extend)
        assert without_own_fields(bytes(ours)) == without_own_fields(theirs)


# Five properties, each with five times as many calls that requests accepts as other properties have examples.
many = settings(
    max_examples=5 * settings().max_examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@many
@given(
    METHODS, urls(), st.none() | PAIRS | ESCAPES | ESCAPES.map(lambda text: text.encode("ascii", "ignore"))
)
def test_any_url_with_any_params_gives_the_same_request_line(method: str, url: str, params: Any) -> None:
    check(method, url, params=params)


@many
@given(METHODS, st.none() | PAIRS | TEXT | st.binary(max_size=20) | STREAMS, st.none() | JSON)
def test_any_data_and_json_give_the_same_body_and_framing(method: str, data: Any, json: Any) -> None:
    check(method, URL, data=data, json=json)


@many
@given(METHODS, st.none() | FIELDS, FILE_LISTS, st.none() | JSON)
def test_any_form_with_files_gives_the_same_multipart_body(
    method: str, data: Any, files: Any, json: Any
) -> None:
    # The multipart body of the other client is ours, too.
    check(method, URL, socket_transport, requests_transport, data=data, files=files, json=json)


@many
@given(METHODS, HEADERS, COOKIES, AUTH, urls(), st.none() | TEXT | PAIRS | STREAMS)
def test_any_headers_cookies_and_credentials_give_the_same_head(
    method: str, headers: Any, cookies: Any, auth: Any, url: str, data: Any
) -> None:
    check(method, url, headers=headers, cookies=cookies, auth=auth, data=data)


@many
@given(
    METHODS,
    st.fixed_dictionaries(
        {},
        optional={
            "params": PAIRS,
            "data": FIELDS,
            "json": JSON,
            "files": FILE_LISTS,
            "headers": HEADERS,
            "cookies": COOKIES,
            "auth": AUTH,
        },
    ),
)
def test_all_arguments_together_give_the_same_bytes(method: str, arguments: dict[str, Any]) -> None:
    check(method, URL, **arguments)
