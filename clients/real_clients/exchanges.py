"""Reads the requests and responses from the bytes of a recorded connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..http1.response_parser import Response, read_responses
from ..http1.sent_request import Sent, requests_in
from .recorder import Conversation

_UNSAFE = ("POST", "PUT")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, its final response, and how many 1xx responses the connection had."""

    sent: Sent
    response: Response
    continues: int

    @property
    def description(self) -> Any:
        """The JSON of the response."""
        return self.response.json()

    def comparable(self) -> tuple[int, bytes]:
        """Status and body. The boundary, which is random, is replaced by a fixed word."""
        boundary = self.sent.boundary
        body = self.response.body
        return self.response.status, body.replace(boundary, b"BOUNDARY") if boundary else body


def uploads(conversations: Sequence[Conversation]) -> list[Exchange]:
    """The exchanges that upload something, in order. Other requests of a browser are left out.

    Raises ValueError when a request has no response.
    """
    exchanges = [exchange for each in conversations for exchange in _exchanges(each)]
    return [exchange for exchange in exchanges if exchange.sent.method in _UNSAFE]


def _exchanges(conversation: Conversation) -> list[Exchange]:
    requests = list(requests_in(bytes(conversation.sent)))
    if not requests:
        return []
    methods = tuple(request.method.encode() for request in requests)
    responses = read_responses(bytes(conversation.received), methods, ended=True)
    if len(responses.complete) != len(requests):
        raise ValueError(
            f"{len(requests)} requests have {len(responses.complete)} responses: {responses.unfinished}"
        )
    pairs = zip(requests, responses.complete, strict=True)
    return [Exchange(request, response, responses.continues) for request, response in pairs]
