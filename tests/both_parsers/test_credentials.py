"""The Authorization field, which is never refused (rules A1 to A15)."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers.contract.limits import Limits
from servers.contract.request import BasicCredentials, OtherCredentials, Pair
from servers.flask_reading import read_environ
from servers.flask_reading.authorization import read_authorization
from servers.sansio.credentials import parse_authorization

_PARSE = {"sansio": parse_authorization, "flask": read_authorization}
_BOTH = pytest.mark.parametrize("backend", _PARSE)


def _basic(user_pass: bytes) -> str:
    return "Basic " + base64.b64encode(user_pass).decode()


@_BOTH
@pytest.mark.parametrize(
    ("value", "username", "password"),
    [
        pytest.param("Basic dTpw", "u", "p", id="A1"),
        pytest.param("bAsIc dTpw", "u", "p", id="A1: any case"),
        pytest.param("Basic    dTpw", "u", "p", id="A2"),
        pytest.param(_basic(b"u:p:q"), "u", "p:q", id="A5"),
        pytest.param(_basic(b":p"), "", "p", id="A6: no user"),
        pytest.param(_basic(b"u:"), "u", "", id="A6: no password"),
        pytest.param(_basic(b":"), "", "", id="A6: neither"),
        pytest.param(_basic("\u00fc:\u20ac".encode()), "\u00fc", "\u20ac", id="A10: UTF-8"),
        pytest.param(_basic(b"\xfc:\xa4"), "\xfc", "\xa4", id="A10: ISO-8859-1"),
    ],
)
def test_basic_credentials(backend: str, value: str, username: str, password: str) -> None:
    assert _PARSE[backend](value) == BasicCredentials(username, password)


@_BOTH
@pytest.mark.parametrize(
    ("value", "scheme", "credentials"),
    [
        pytest.param("Basic\tdTpw", "basic", "\tdTpw", id="A3"),
        pytest.param("Basic \tdTpw", "basic", "\tdTpw", id="A3: after a space"),
        pytest.param("Basic dXNlcg==", "basic", "dXNlcg==", id="A4"),
        pytest.param("Basic", "basic", "", id="A7"),
        pytest.param("Basic ", "basic", "", id="A7: a blank"),
        pytest.param("Basic d!pw", "basic", "d!pw", id="A8: not base64"),
        pytest.param("Basic dTpwcQ", "basic", "dTpwcQ", id="A8: no padding"),
        pytest.param("Basic dT pw", "basic", "dT pw", id="A8: a blank inside"),
        pytest.param("Basic dTpw x", "basic", "dTpw x", id="A8: more after it"),
        pytest.param("Basic dTpw ", "basic", "dTpw ", id="A8: a blank after it"),
        pytest.param("Basic dTr_-w==", "basic", "dTr_-w==", id="A8: the URL's alphabet"),
        pytest.param("Basic =dTpw", "basic", "=dTpw", id="A8: padding first"),
        pytest.param("Basic dTpw=", "basic", "dTpw=", id="A9: too much padding"),
        pytest.param("Basic dTpwcR==", "basic", "dTpwcR==", id="A9: trailing bits"),
        pytest.param("Basic dTpw\n", "basic", "dTpw\n", id="A9: a line end"),
        pytest.param(_basic(b"u\0:p"), "basic", _basic(b"u\0:p")[6:], id="A11: NUL"),
        pytest.param(_basic(b"u:p\x7f"), "basic", _basic(b"u:p\x7f")[6:], id="A11: DEL"),
        pytest.param("Basic dTpw,Basic dTpw", "basic", "dTpw,Basic dTpw", id="A12"),
        pytest.param("Basic \xe9", "basic", "\xe9", id="A13"),
        pytest.param("Bearer a.b.c", "bearer", "a.b.c", id="A14"),
        pytest.param('Digest username="a",  x=1', "digest", 'username="a",  x=1', id="A14: verbatim"),
        pytest.param("dTpw", "dtpw", "", id="A15"),
    ],
)
def test_other_credentials(backend: str, value: str, scheme: str, credentials: str) -> None:
    assert _PARSE[backend](value) == OtherCredentials(scheme, credentials)


@pytest.mark.parametrize("value", ["", " ", "\t", " \t "])
def test_an_empty_field_has_no_credentials(value: str) -> None:
    assert parse_authorization(value) is None


@pytest.mark.parametrize(
    ("fields", "auth"),
    [
        ({"HTTP_AUTHORIZATION": "Basic dTpw"}, BasicCredentials("u", "p")),
        ({"HTTP_AUTHORIZATION": ""}, None),
        ({}, None),
    ],
)
def test_flask_finds_credentials_and_cookies_in_the_environ(
    fields: dict[str, str], auth: BasicCredentials | None
) -> None:
    environ = {"REQUEST_METHOD": "GET", "RAW_URI": "/", "SERVER_PROTOCOL": "HTTP/1.0", "HTTP_COOKIE": "a=1"}
    head = read_environ({**environ, **fields}, Limits())
    assert (head.auth, head.cookies) == (auth, (Pair("a", "1"),))


@given(st.text("abc\u00fc\u20ac: ", max_size=8), st.text("abc\u00fc\u20ac: ", max_size=8))
def test_encoded_credentials_are_decoded(username: str, password: str) -> None:
    username = username.replace(":", "")
    value = _basic(f"{username}:{password}".encode())
    for parse in _PARSE.values():
        assert parse(value) == BasicCredentials(username, password)


@given(st.text("ABZaz09+/= dTpw", max_size=12))
def test_only_canonical_base64_decodes(text: str) -> None:
    """RFC 4648 4: only the text that the standard library would encode (A8, A9)."""
    found = parse_authorization("Basic " + text)
    assert read_authorization("Basic " + text) == found
    if isinstance(found, BasicCredentials):
        decoded = f"{found.username}:{found.password}"
        assert text.lstrip(" ") in {
            base64.b64encode(decoded.encode(charset, "ignore")).decode()
            for charset in ("utf-8", "iso-8859-1")
        }
