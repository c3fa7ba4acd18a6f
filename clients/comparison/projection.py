"""Which parts of a response compare looks at: every byte, or what the server parsed; fields may be ignored.

`parsed` is for other servers, whose JSON has some of the members of our result. In a 2xx JSON response only
`form`, `files`, `json`, `text`, `args`, `cookies` and `body` count, and only those that all compared servers
give. Fields and files may also be objects by name (`told_values`). In a refusal only the status counts.

An ignored header field is not compared, and it is removed from the `headers` of the result. Then a proxy in
front of a server (Via, X-Forwarded-For, Host) does not make every case differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..http1.exchange import Exchange
from ..http1.response_parser import Response
from .cases import Case
from .equality import canonical_json
from .expectation import Expectation, ExpectedResponse, is_list_pattern
from .told_values import as_entries, by_name, unordered_among
from .verdicts import Sending

PARSED = ("args", "body", "cookies", "files", "form", "json", "text")
# The members of an entry of `form` or `files`, without those that only this project's responses have.
_ENTRY = frozenset({"name", "value", "filename", "content_type", "size", "sha256"})
# Routes that other servers do not have, and a field of a protocol that few of them speak.
_OWN_ROUTES = (
    *(
        "/files/",
        "/resumable",
        "/problems/",
        "/healthz",
        "/metrics",
        "/stream_echo",
        "/v1/",
        "/requests/",
        "/ui/",
    ),
)
_OWN_FIELD = b"\r\nupload-complete:"

Sendings = Mapping[str, Sequence[Sending]]


@dataclass(frozen=True, slots=True)
class Projection:
    """Reduces responses to what is compared. The default changes nothing."""

    parsed: bool = False
    ignored: frozenset[str] = frozenset()

    def includes(self, case: Case) -> bool:
        """Whether the case can be compared."""
        return not self.parsed or (not case.store and self.includes_request(case.request))

    def includes_request(self, request: bytes) -> bool:
        """Whether the request is for a route that all compared servers have."""
        target = request.split(b" ", 2)[1:2] or [b""]
        is_own = target[0].decode("latin-1").startswith(_OWN_ROUTES) or _OWN_FIELD in request.lower()
        return not self.parsed or not is_own

    def project(self, case: Case, sendings: Sendings) -> tuple[Case, Sendings]:
        """The case, with its expectation, and the responses, reduced to what is compared."""
        if not self.parsed and not self.ignored:
            return case, sendings
        common = self._common(sending.exchange for of_one in sendings.values() for sending in of_one)
        reduced = {
            backend: [
                replace(sending, exchange=self._exchange(sending.exchange, common)) for sending in of_backend
            ]
            for backend, of_backend in sendings.items()
        }
        return replace(case, expect=self._expectation(case.expect, common)), reduced

    def project_exchanges(self, exchanges: Mapping[str, Exchange]) -> Mapping[str, Exchange]:
        """The responses of the servers to one request, reduced to what is compared."""
        if not self.parsed and not self.ignored:
            return exchanges
        common = self._common(exchanges.values())
        return {backend: self._exchange(exchange, common) for backend, exchange in exchanges.items()}

    def _common(self, exchanges: Iterable[Exchange]) -> "_Common | None":
        return _common_members(exchanges) if self.parsed else None

    def _exchange(self, exchange: Exchange, common: "_Common | None") -> Exchange:
        return replace(
            exchange, responses=tuple(self._response(response, common) for response in exchange.responses)
        )

    def _response(self, response: Response, common: "_Common | None") -> Response:
        headers = tuple(
            field for field in response.headers if common is None and field[0] not in self.ignored
        )
        if common is not None and response.status >= 400:
            return replace(response, headers=(), body=b"")
        value = _result(response)
        if value is None:
            return replace(response, headers=headers)
        if common is not None:
            value = _parsed(_listed(value), common)
            return replace(
                response, headers=(("content-type", "application/json"),), body=canonical_json(value)
            )
        headers = tuple(field for field in headers if field[0] != "content-length")
        return replace(response, headers=headers, body=canonical_json(self._without_ignored(value)))

    def _without_ignored(self, value: dict[str, Any]) -> dict[str, Any]:
        kept = dict(value)
        if is_list_pattern(value.get("headers")):
            kept["headers"] = {how: self._fields(some) for how, some in value["headers"].items()}
        elif isinstance(value.get("headers"), list):
            kept["headers"] = self._fields(value["headers"])
        if "host" in self.ignored:
            kept.pop("host", None)
        return kept

    def _fields(self, fields: list[Any]) -> list[Any]:
        """Header fields, or their names, without those that are ignored."""
        names = [one.get("name") if isinstance(one, dict) else one for one in fields]
        return [
            one
            for one, name in zip(fields, names, strict=True)
            if not (isinstance(name, str) and name in self.ignored)
        ]

    def _expectation(self, expect: Expectation, common: "_Common | None") -> Expectation:
        responses = tuple(self._expected(response, common) for response in expect.responses)
        return replace(expect, responses=responses)

    def _expected(self, response: ExpectedResponse, common: "_Common | None") -> ExpectedResponse:
        if common is not None:
            body = _parsed(response.body, common) if response.body else None
            return ExpectedResponse(status=response.status, body=body or None, refused=response.refused)
        headers = {
            name: v for name, v in (response.headers or {}).items() if name.lower() not in self.ignored
        }
        body = None if response.body is None else self._without_ignored(dict(response.body))
        text = None if response.text and self.ignored else response.text
        return replace(response, headers=headers or None, body=body, text=text)


EVERY_BYTE = Projection()
"""Compares all that `equality.compared` returns."""


def _result(response: Response) -> dict[str, Any] | None:
    """The JSON object of a 2xx response, or None."""
    return response.json_object() if response.status < 300 else None


@dataclass(frozen=True, slots=True)
class _Common:
    """What all results tell: `members`, each with the inner members of all its values.

    The order of the entries of a member in `unordered` is not told by all.
    """

    members: Mapping[str, frozenset[str]]
    unordered: frozenset[str]


def _common_members(exchanges: Iterable[Exchange]) -> _Common:
    results = [
        value
        for exchange in exchanges
        for response in exchange.responses
        if (value := _result(response)) is not None
    ]
    common = frozenset(PARSED).intersection(*(value.keys() for value in results))
    members = {name: _members_in_all([as_entries(name, value[name]) for value in results]) for name in common}
    return _Common(members, unordered_among(results))


def _members_in_all(values: Iterable[Any]) -> frozenset[str]:
    """The members that every object has. The objects of a list are its entries."""
    objects = [
        item
        for value in values
        for item in (value if isinstance(value, list) else [value])
        if isinstance(item, dict)
    ]
    return frozenset.intersection(*(frozenset(item) for item in objects)) if objects else _ENTRY


def _parsed(value: Mapping[str, Any], common: _Common) -> dict[str, Any]:
    reduced = {
        name: _reduced(name, value[name], members)
        for name, members in common.members.items()
        if name in value
    }
    return {name: by_name(member) if name in common.unordered else member for name, member in reduced.items()}


def _listed(value: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a server, with lists where it has objects by name."""
    return {name: as_entries(name, member) for name, member in value.items()}


def _reduced(name: str, value: Any, members: frozenset[str]) -> Any:
    if name == "json":
        return value  # the client's own data
    if is_list_pattern(value):
        return {how: _reduced(name, entries, members) for how, entries in value.items()}
    if isinstance(value, list):
        return [_reduced(name, entry, members & _ENTRY) for entry in value]
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if key in members}
    return value
