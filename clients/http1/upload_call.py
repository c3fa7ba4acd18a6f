"""The arguments of an upload, which both clients take."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of `requests.request`, and two of ours: a multipart `boundary` and `chunked` framing."""

    method: str
    url: str
    params: Any = None
    data: Any = None
    json: Any = None
    files: Any = None
    headers: Mapping[str, str | bytes | None] | None = None
    cookies: Mapping[str, str | None] | None = None
    auth: tuple[Any, Any] | None = None
    boundary: str | None = None
    chunked: bool = False

    def arguments(self) -> dict[str, Any]:
        """All of them by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
