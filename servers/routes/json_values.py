"""Checks of single values in the JSON body of a request."""

from typing import Any, TypeVar

from ..contract.problems import Problem
from ..contract.request import ParsedBody

Wanted = TypeVar("Wanted")

MAX_SECONDS = 10


def json_object(body: ParsedBody) -> dict[str, Any]:
    """The body's JSON object. Raises Problem `unsupported_media_type`, `json_invalid` or `bad_value`."""
    if body.media_type is None or not body.media_type.is_json:
        what = "this route takes application/json"
        raise Problem("unsupported_media_type", what, rule=None, field="content-type")  # section 6 says it
    if body.kind != "json":
        raise Problem("json_invalid", "the body is empty or has a Content-Encoding", rule="J1")
    if not isinstance(body.json, dict):
        raise Problem("bad_value", "the body is not a JSON object")
    return body.json


def required(members: dict[str, Any], name: str, kind: type[Wanted]) -> Wanted:
    """The value of a member that must be present. Raises Problem `bad_value`."""
    if name not in members:
        raise Problem("bad_value", f"{name} is missing")
    return checked(members[name], name, kind)


def optional(members: dict[str, Any], name: str, kind: type[Wanted], default: Wanted) -> Wanted:
    """The value of a member, or `default` if it is absent or null. Raises Problem `bad_value`."""
    value = members.get(name)
    return default if value is None else checked(value, name, kind)


def checked(value: Any, name: str, kind: type[Wanted]) -> Wanted:
    """`value` itself, if it has the JSON type `kind`. Raises Problem `bad_value`."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Problem("bad_value", f"{name} has the wrong JSON type")
    return value


def seconds(members: dict[str, Any], name: str, default: float) -> float:
    """A pause of 0 to `MAX_SECONDS`, or `default` if the member is absent. Raises Problem `bad_value`."""
    value = members.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_SECONDS:
        raise Problem("bad_value", f"{name} must be a number of seconds from 0 to {MAX_SECONDS}")
    return float(value)
