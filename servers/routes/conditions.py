"""Preconditions of a request for a stored file (RFC 9110 13, W3 and W4).

    field                 compares     when it fails
    If-Match              strongly     412, whatever else was sent
    If-None-Match         weakly       304
    If-Range              strongly     Range is ignored

They are evaluated in this order (RFC 9110 13.2.2), and Range comes last. If-Modified-Since and
If-Unmodified-Since are ignored: a stored file has no modification date (RFC 9110 13.1.3, 13.1.4).
"""

import re

from ..contract.problems import Problem
from ..contract.request import RequestHead

# entity-tag = [ %s"W/" ] DQUOTE *etagc DQUOTE                                            RFC 9110 8.8.3
# etagc      = %x21 / %x23-7E / obs-text
_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
# #entity-tag, as a recipient reads it: [ element ] *( OWS "," OWS [ element ] )         RFC 9110 5.6.1.2
_ELEMENT = rf"[ \t]*(?:{_TAG}[ \t]*)?"
_TAGS = re.compile(rf"{_ELEMENT}(?:,{_ELEMENT})*")
_ONE_TAG = re.compile(_TAG)


def is_unchanged(head: RequestHead, etag: str) -> bool:
    """Whether the client has the file with this strong `etag` already: If-None-Match names it.

    Raises Problem `precondition_failed` if If-Match does not name the file.
    """
    wanted = _entity_tags(head.field("if-match"))
    if wanted is not None and etag not in wanted and "*" not in wanted:
        what = f"If-Match does not name {etag}, which is stored here"
        raise Problem("precondition_failed", what, rule="W3", field="if-match")
    held = _entity_tags(head.field("if-none-match")) or []
    return "*" in held or etag in [tag.removeprefix("W/") for tag in held]


def may_send_range(head: RequestHead, etag: str) -> bool:
    """Whether If-Range is absent, or is this strong `etag` and nothing else (RFC 9110 13.1.5)."""
    return head.field("if-range") in (None, etag)


def _entity_tags(value: str | None) -> list[str] | None:
    """The entity tags of a list, or ["*"]; None for a field that was not sent or is malformed.

    A list may be empty, and may have empty elements.
    """
    if value == "*":
        return ["*"]
    return _ONE_TAG.findall(value) if value is not None and _TAGS.fullmatch(value) else None
