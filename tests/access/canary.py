"""Requests with a secret in every place that may hold one, to every route, answered and refused."""

import base64
from collections.abc import Iterator

CANARY = "c4n4ry-0f-th3-t3sts"
_SECRET = CANARY.encode()
_BASIC = base64.b64encode(b"user:" + _SECRET)
_BASIC_USER = base64.b64encode(_SECRET + b":")
HIDDEN = (CANARY, _BASIC.decode(), _BASIC_USER.decode())
"""What must be in no log: the secret as it is, and in the two forms of Basic."""

_HOST = b"Host: localhost\r\n"
_JSON, _FORM = b"application/json", b"application/x-www-form-urlencoded"
_MULTIPART = b"multipart/form-data; boundary=B"
_FIELDS = {
    "bearer": b"Authorization: Bearer " + _SECRET,
    "basic password": b"Authorization: Basic " + _BASIC,
    "basic user": b"Authorization: Basic " + _BASIC_USER,
    "basic that does not decode": b"Authorization: Basic " + _SECRET,
    "digest": b'Authorization: Digest username="u", response="' + _SECRET + b'"',
    "scheme": b"Authorization: " + _SECRET,
    "proxy": b"Proxy-Authorization: Bearer " + _SECRET,
    "cookie": b'Cookie: a=1; session="' + _SECRET + b'"',
    "key": b"X-Api-Key: " + _SECRET,
    "referer": b"Referer: http://localhost/?token=" + _SECRET,
}
FIELDS = tuple(field for name, field in _FIELDS.items() if name != "referer")
"""The fields that are for secrets."""
_QUERIES = (b"?token=", b"?a='&b=", b'?a="&b=', b"?", b"?a?b=", b"?x=%3F&y=")
_PATHS = (
    *(b"/", b"/page", b"/upload/", b"/upload/a.txt", b"/files/x", b"/files/" + b"0" * 64, b"/healthz"),
    *(b"/problems/not_found", b"/problems/none", b"/stream_echo", b"/v1/chat/completions", b"/v1/models"),
    *(b"/v1/models/none", b"/v1/none", b"/requests/", b"/requests/1", b"/ui/", b"/ui/send", b"//page"),
    b"/metrics",
)
_METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"BREW")
_PART = b'--B\r\nContent-Disposition: form-data; name="p"\r\n'
_BODIES = {
    "form": (_FORM, b"user=u&password=" + _SECRET),
    "form that is not UTF-8": (_FORM, b"a=%FF&password=" + _SECRET),
    "form with the secret that is not UTF-8": (_FORM, b"password=%FF" + _SECRET),
    "JSON": (_JSON, b'{"password":"' + _SECRET + b'","query":"' + _SECRET + b'","delay":0}'),
    "JSON that is cut off": (_JSON, b'{"password":"' + _SECRET),
    "JSON with a word": (_JSON, b'{"password":' + _SECRET + b"}"),
    "JSON of a wrong type": (_JSON, b'{"query":1,"delay":"' + _SECRET + b'","model":"' + _SECRET + b'"}'),
    "JSON that is no object": (_JSON, b'"' + _SECRET + b'"'),
    "text": (b"text/plain", _SECRET),
    "text in no charset": (b"text/plain; charset=utf-8", b"\xff" + _SECRET),
    "multipart": (_MULTIPART, _PART + b"\r\n" + _SECRET + b"\r\n--B--"),
    "multipart that is cut off": (_MULTIPART, _PART + b"\r\n" + _SECRET),
    "multipart without a delimiter": (_MULTIPART, _SECRET),
    "bad part header": (_MULTIPART, _PART + b"Authorization: " + _SECRET + b"\x00\r\n\r\n\r\n--B--"),
    "epilogue": (_MULTIPART, _PART + b"\r\n\r\n--B--\r\n" + _SECRET),
    "bytes": (b"application/octet-stream", _SECRET),
}


def _request(line: bytes, *fields: bytes, body: bytes = b"", host: bytes = _HOST) -> bytes:
    lines = b"".join(field + b"\r\n" for field in fields)
    if body:
        lines += b"Content-Length: %d\r\n" % len(body)
    return line + b" HTTP/1.1\r\n" + host + b"Connection: close\r\n" + lines + b"\r\n" + body


def _answered() -> Iterator[bytes]:
    everything = [field for name, field in _FIELDS.items() if not field.startswith(b"Authorization")]
    for path in _PATHS:
        for method in _METHODS:
            line = method + b" " + path + b"?token=" + _SECRET
            yield _request(line, *everything, _FIELDS["bearer"], body=b"" if method == b"GET" else _SECRET)
    for field in _FIELDS.values():
        yield _request(b"GET /page", field)
        yield _request(b"POST /upload/", field, b"Origin: http://evil.example", body=b"x")
        yield _request(b"GET /files/x", field, host=b"Host: evil.example\r\n")
    for query in _QUERIES:
        yield _request(b"GET /page" + query + _SECRET)
        yield _request(b"GET /none/%00" + query + _SECRET)
        yield _request(b"GET /page" + query + _SECRET + b"%FF")
        yield _request(b"GET http://localhost/page" + query + _SECRET)
        yield _request(b"GET https://localhost/page" + query + _SECRET)
    for content_type, body in _BODIES.values():
        for path in (b"/page", b"/upload/", b"/upload/a.txt", b"/stream_echo", b"/v1/chat/completions"):
            method = b"PUT " if path.endswith(b"txt") else b"POST "
            yield _request(method + path, b"Content-Type: " + content_type, body=body)


def _in_malformed_heads(field: bytes) -> Iterator[bytes]:
    name, _, value = field.partition(b": ")
    yield _request(b"GET /page", field, b"Content-Length: x")
    yield _request(b"GET /page", field + b"\x01")
    yield _request(b"GET /page", field, b" " + _SECRET)
    yield _request(b"GET /page", name + b" : " + value)
    yield _request(b"GET /page", name + b" " + value)
    yield _request(b"GET /page", name + b"\x00: " + value)
    yield _request(b"GET /page", field, field)
    yield _request(b"GET /page", field + b"a" * 9000)
    yield _request(b"GET /page", *[field] * 120)
    yield _request(b"GET /page", field, host=b"")
    yield _request(b"GET /page", field, host=b"Host: a b\r\n")
    yield _request(b"GET /page", field)[:-20]


def _malformed() -> Iterator[bytes]:
    for field in _FIELDS.values():
        yield from _in_malformed_heads(field)
    for query in _QUERIES:
        yield _request(b"GET /page" + query + _SECRET + b" x")
        yield _request(b"GET /page" + query + _SECRET + b"\x7f")
        yield _request(b"GET /page" + query + _SECRET + b"a" * 9000)
        yield _request(b"GET /page" + query + _SECRET).replace(b"HTTP/1.1", b"HTTP/3.0")
        yield _request(b"GET /page" + query + _SECRET).replace(b"HTTP/1.1\r\n", b"\r\n", 1)
        yield b"GET /page" + query + _SECRET
    yield _request(b"GET http://user:%s@localhost/page" % _SECRET)
    yield _request(b"GET /page#" + _SECRET)
    yield _SECRET + b"\r\n\r\n"
    in_extension, in_trailer = b"5;a=%s\r\nhello\r\n0\r\n\r\n", b"1\r\nx\r\n0\r\nCookie: %s\r\n\r\n"
    for chunks in (in_extension, in_trailer):
        body = chunks % _SECRET
        yield _request(b"POST /upload/", b"Transfer-Encoding: chunked") + body
        yield _request(b"POST /upload/", b"Transfer-Encoding: chunked") + body.replace(b"\r\n0", b"0")
    yield _request(b"POST /upload/", b"Content-Type: image/png", b"Content-Length: 99") + _SECRET


def _credentials() -> Iterator[bytes]:
    for field in FIELDS:
        yield _request(b"GET /page", field)
        yield _request(b"POST /upload/", field, body=b"x")
        yield _request(b"GET /files/x", field)
        yield _request(b"GET /v1/models/none", field)
        yield from _in_malformed_heads(field)


ANSWERED, MALFORMED = tuple(_answered()), tuple(_malformed())
CREDENTIALS = tuple(_credentials())
"""Requests whose only secret is the value of a field that is for secrets."""
