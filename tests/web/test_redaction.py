"""No credential is kept: not of a head in any spelling, not of the answer that shows it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers.web.redaction import (
    redact_answer,
    redact_any,
    redact_environ,
    redact_head,
    redact_text,
    secrets_of,
    strings_of,
)

SECRET = b"hunter2-is-secret"

_NAMES: tuple[bytes, ...] = (
    *(b"Authorization", b"proxy-authorization", b"COOKIE", b"cOOkie", b"X-Authorization", b"Set-Cookie"),
    *(b"X-Api-Key", b"apikey", b"PRIVATE-TOKEN", b"X-Client-Secret", b"x-password"),
)


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize(
    "line",
    [
        b"%s: %s\r\n",
        b"%s:%s\r\n",
        b"%s:\t%s  \r\n",
        b"%s : %s\r\n",
        b" %s: %s\r\n",
        b"%s: a\r\n %s\r\n",
        b"%s:\r\n\t%s\r\n",
        b"%s:\n %s\n",
        b"%s: %s\n",
        b"%s: a\rb %s\r\n",
        b"%s %s\r\n",
        b"%s=%s\r\n",
        b"%s\x00: %s\r\n",
        b"\x00%s: %s\r\n",
        b"%s: a\r\n\x0b%s\r\n",
        b"%s: %s",
    ],
)
@pytest.mark.parametrize(
    "before", [b"", b"POST / HTTP/1.1\r\n", b"POST / HTTP/1.1\nHost: h\n", b"GET / HTTP/1.1\r"]
)
def test_the_value_becomes_asterisks_of_equal_length(name: bytes, line: bytes, before: bytes) -> None:
    data = before + line % (name, SECRET) + b"Host: h\r\n\r\nbody"
    redacted = redact_any(data)
    assert SECRET not in redacted
    assert len(redacted) == len(data)
    assert redacted.startswith(before)
    assert redacted.endswith(b"body")


@pytest.mark.parametrize("line", [b"Authorization abc token def", b"Cookie token=secret", b"X-Token\tcookie"])
def test_a_value_with_such_a_word_is_hidden_where_the_colon_is_missing(line: bytes) -> None:
    size = len(line.replace(b"\t", b" ").partition(b" ")[0]) + 1
    hidden = redact_any(b"GET / HTTP/1.1\r\n" + line + b"\r\n\r\n").split(b"\r\n")[1]
    assert hidden == line[:size] + b"*" * (len(line) - size)


def test_of_an_accepted_head_other_fields_stay_as_they_are() -> None:
    head = b"GET /?cookie=1 HTTP/1.1\r\nHost: cookie\r\nX: Cookie: x\r\nCookie: a=b; c=d\r\nX-B: 1\r\n\r\n"
    assert redact_head(head) == redact_any(head) == head.replace(b"a=b; c=d", b"********")


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize("line", [b"%s: %s\r\n", b"%s:%s\r\n", b"%s:\t%s  \r\n"])
def test_of_an_accepted_head_the_value_is_hidden(name: bytes, line: bytes) -> None:
    data = b"POST / HTTP/1.1\r\n" + line % (name, SECRET) + b"Host: h\r\n\r\n"
    redacted = redact_head(data)
    assert redacted == data.replace(SECRET, b"*" * len(SECRET))


_LINES = st.lists(
    st.one_of(
        st.binary(max_size=12).map(lambda text: text.replace(SECRET, b"")),
        st.tuples(
            st.sampled_from([b"", b" ", b"\t", b"\x00", b"\xff"]),
            st.sampled_from(_NAMES),
            st.sampled_from([b":", b": ", b" :", b"\t: ", b": a\r\n ", b":\n\t", b": a\r", b"::", b" "]),
            st.just(SECRET),
        ).map(b"".join),
    ),
    max_size=6,
)


@given(_LINES, st.sampled_from([b"\r\n", b"\n", b"\n\n", b"\r\n\r\n"]))
def test_no_secret_is_left_however_broken_the_head_is(lines: list[bytes], end: bytes) -> None:
    data = end.join([b"GET / HTTP/1.1", *lines, b""])
    redacted = redact_any(data)
    assert SECRET not in redacted
    assert len(redacted) == len(data)
    # Line ends stay, and nothing but asterisks is new.
    assert all(new in (old, ord("*")) for old, new in zip(data, redacted, strict=True))


def test_the_answer_hides_what_the_request_has_shown() -> None:
    answer = {
        "auth": {"scheme": "basic", "username": "bob", "password": "hunter2"},
        "cookies": [{"name": "sid", "value": "hunter2"}],
        "headers": [{"name": "authorization", "value": "Basic Ym9i"}, {"name": "host", "value": "h"}],
        "form": [{"name": "a", "value": "hunter2"}],
    }
    redacted = redact_answer(json.dumps(answer).encode(), ["Basic Ym9i"])
    assert redacted is not None
    assert json.loads(redacted) == {
        "auth": {"scheme": "basic", "username": "***", "password": "*******"},
        "cookies": [{"name": "sid", "value": "*******"}],
        "headers": [{"name": "authorization", "value": "**********"}, {"name": "host", "value": "h"}],
        "form": [{"name": "a", "value": "hunter2"}],  # a body is not hidden
    }


@pytest.mark.parametrize(("credentials", "hidden"), [("", ""), ("hunter3", "*******")])
def test_a_credential_that_was_sent_without_a_scheme_is_hidden(credentials: str, hidden: str) -> None:
    """The result has its first word as a scheme, in lower case (A15)."""
    answer = json.dumps({"auth": {"scheme": "hunter2", "credentials": credentials}}).encode()
    redacted = redact_answer(answer, ["Hunter2"])
    assert redacted is not None
    assert json.loads(redacted) == {"auth": {"scheme": "*******", "credentials": hidden}}


def test_a_sentence_hides_each_piece_of_a_credential() -> None:
    secrets = secrets_of(b"GET / HTTP/1.1\r\nAuthorization: Basic abcdefgh\r\n\r\n")
    assert secrets == ["Basic abcdefgh"]
    assert (
        redact_text("the field line b'cdefgh' is malformed", secrets)
        == "the field line b'******' is malformed"
    )


def test_an_answer_that_is_no_json_is_not_kept() -> None:
    assert redact_answer(b"<html>", ["x"]) is None


def test_of_an_environ_only_what_the_client_sent_is_kept() -> None:
    environ = {
        "HTTP_COOKIE": "a=b",
        "HTTP_X_API_KEY": "key",
        "WIREPROOF_TOKEN": "t",
        "HOME": "/root",
        "PATH_INFO": "/",
        "wsgi.input": 1,
    }
    assert redact_environ(strings_of(environ)) == {
        "HTTP_COOKIE": "***",
        "HTTP_X_API_KEY": "***",
        "PATH_INFO": "/",
    }
