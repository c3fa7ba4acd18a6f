"""Which recorded requests an endpoint can be asked, and their bytes for this endpoint.

A request fits when it asks `/` or `/upload/` by GET or POST, and when its right answer does not depend on
what each server may choose: its names, its limits, its routes, further protocols. Its target becomes that of
the endpoint, the usual Host its authority, and the fields of the endpoint are added. Nothing else changes.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from ..comparison.cases import Case
from .endpoint import Endpoint, Fields

# 403, 405, 408, 413, 414, 417, 421, 431 and 505 are refusals that each server decides for itself.
_JUDGED_STATUSES = frozenset({200, 400, 415, 501})
_MOST_TIER = 2  # tier 3 is about connections, pipelines and time-outs
# B33: `flask run` without a limit reads such a chunk as endless zeros, until the memory is full.
# P: the rules of uploads in pieces. A server need not speak this protocol: to it a piece is a whole request.
_RULES_LEFT_OUT = re.compile("B33|P[0-9]+")
_REQUEST_LINE = re.compile(rb"(GET|POST) (?:/|/upload/)(?:\?([^ \r\n]*))? HTTP/1\.[01](?=\r?\n)")
_HOST_LINE = re.compile(rb"\nHost:[ \t]*([^\r\n]*)", re.IGNORECASE)
_USUAL_HOST = b"localhost:8000"
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_CONTENT_TYPE = re.compile(rb"\nContent-Type[ \t]*:[ \t]*([^\r\n;,]*)", re.IGNORECASE)
# As the servers hide them: names of fields whose values are credentials.
_SECRET = re.compile(r"authorization|cookie|token|api-?key|secret|password", re.IGNORECASE)
_FORM_TYPE = b"application/x-www-form-urlencoded"

KINDS = ("multipart", "urlencoded", "json", "text", "bytes", "none")
"""The kinds of body, by the Content-Type of the request; `none` is a request by GET without one."""


@dataclass(frozen=True, slots=True)
class FittedCase:
    """A case as it is sent to one endpoint.

    `splits` are offsets in `request`. `own_args` are the names in the query of the endpoint. `credentials`
    are the fields that were added to the request and are in no report.
    """

    case: Case
    request: bytes
    kind: str
    splits: tuple[int, ...] = ()
    own_args: frozenset[str] = frozenset()
    credentials: Fields = ()

    @property
    def shown(self) -> bytes:
        """The request as reports show it: without the values of the credentials."""
        shown = self.request
        for name, value in self.credentials:
            sent, hidden = (f"\r\n{name}: {text}\r\n".encode("latin-1") for text in (value, "***"))
            shown = shown.replace(sent, hidden)
        return shown


def fitted_cases(cases: Iterable[Case], endpoint: Endpoint) -> Iterator[FittedCase]:
    """The cases that fit the endpoint."""
    query = endpoint.url.target.partition("?")[2]
    own_args = frozenset(name for name, _ in parse_qsl(query, keep_blank_values=True))
    credentials = tuple(field for field in endpoint.fields if _SECRET.search(field[0]))
    for case in cases:
        if _is_judged(case) and (request := fitted_request(case.request, endpoint)) is not None:
            moved = len(request) - len(case.request)
            splits = tuple(at + moved for at in case.splits)
            yield FittedCase(case, request, kind_of(request), splits, own_args, credentials)


def _is_judged(case: Case) -> bool:
    """Whether one response is expected that every server should give."""
    expected = case.expect.responses
    if case.client != "raw" or case.store or case.tier > _MOST_TIER or len(expected) != 1:
        return False
    if case.expect.extra or case.expect.continues is not None:
        return False
    if any(map(_RULES_LEFT_OUT.fullmatch, case.rules)):
        return False
    return expected[0].refused or expected[0].status in _JUDGED_STATUSES


def fitted_request(request: bytes, endpoint: Endpoint) -> bytes | None:
    """The request as it is sent to the endpoint; None if it does not fit."""
    line = _REQUEST_LINE.match(request)
    if line is None:
        return None
    end = _END_OF_HEAD.search(request)
    head_end = end.start() if end else len(request)
    head, rest = request[:head_end], request[head_end:]
    hosts = _HOST_LINE.findall(head)
    if any(host.strip(b" \t") != _USUAL_HOST for host in hosts):
        return None
    if any(
        re.search(rb"\n" + re.escape(name.encode()) + rb"[ \t]*:", head, re.I) for name, _ in endpoint.fields
    ):
        return None
    target = _joined(endpoint.url.target, line[2])
    first, fields = line[0].replace(request.split(b" ", 2)[1], target, 1), head[line.end() :]
    fields = fields.replace(_USUAL_HOST, endpoint.url.authority.encode("ascii"))
    added = b"".join(f"\r\n{name}: {value}".encode("latin-1") for name, value in endpoint.fields)
    return first + added + fields + rest


def _joined(target: str, query: bytes | None) -> bytes:
    """The target of the endpoint with a further query."""
    if query is None:
        return target.encode("ascii")
    return target.encode("ascii") + (b"&" if "?" in target else b"?") + query


def kind_of(request: bytes) -> str:
    """The kind of the body, by the Content-Type."""
    end = _END_OF_HEAD.search(request)
    head = request[: end.start()] if end else request
    found = _CONTENT_TYPE.search(head)
    media_type = found[1].strip(b" \t").lower() if found else b""
    if request.startswith(b"GET ") and not found:
        return "none"
    if media_type.startswith(b"multipart/"):
        return "multipart"
    if media_type == _FORM_TYPE:
        return "urlencoded"
    if media_type == b"application/json" or media_type.endswith(b"+json"):
        return "json"
    return "text" if not found or media_type.startswith(b"text/") else "bytes"
