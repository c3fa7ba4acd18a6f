"""Asks a server which protocol of resumable uploads it speaks at a URL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ..http1.errors import UploadFailed
from ..http1.response_parser import Response
from . import draft, tus
from .draft import Draft
from .protocol import Limits, ResumableProtocol
from .requester import Refused, Requester
from .tus import Tus

PROTOCOLS: Mapping[str, type[ResumableProtocol]] = MappingProxyType({"tus": Tus, "draft": Draft})
# What a server without resumable uploads may answer to OPTIONS.
_NOT_KNOWN_THERE = frozenset({400, 404, 405, 501})


@dataclass(frozen=True, slots=True)
class Choice:
    """The protocol to speak, and the limits that the server has told."""

    protocol: ResumableProtocol
    limits: Limits = field(default_factory=Limits)


def choose(requester: Requester) -> Choice:
    """The protocol that the answer to OPTIONS names; tus where both are spoken, because it is finished.

    Raises UploadFailed where none is spoken, Refused where the server refuses to say it, and Unreachable.
    """
    response = requester.request("OPTIONS", requester.endpoint, {})
    if response.status >= 400 and response.status not in _NOT_KNOWN_THERE:
        raise Refused(response)
    if tus.speaks_tus(response):
        return Choice(Tus(requester), tus.limits_in(response))
    if draft.speaks_draft(response):
        return Choice(Draft(requester), draft.limits_in(response))
    raise UploadFailed(_none_spoken(requester.endpoint, response))


def _none_spoken(url: str, response: Response) -> str:
    return (
        f"{url} takes no resumable uploads: its answer to OPTIONS ({response.status}) has neither "
        f"Tus-Version: {tus.VERSION} with the extension creation nor Accept-Patch: {draft.MEDIA_TYPE}. "
        "--protocol speaks one of both without asking"
    )
