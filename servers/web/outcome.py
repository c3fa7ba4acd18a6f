"""What came back from one server for a message that was sent to it."""

import json
from dataclasses import dataclass
from typing import Any

MAX_ANSWER = 64 * 1024
"""So many bytes of a response body are kept. The others are counted and hashed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one server responded to a message. `error` says why there is no response, or no whole one.

    `answer` is at most `MAX_ANSWER` bytes of the body, `size` and `sha256` are those of the whole body, and
    `more` has the statuses of further responses on the connection. `closed`: it ended without a response.
    """

    backend: str
    ms: float
    status: int | None = None
    content_type: str | None = None
    answer: bytes = b""
    size: int = 0
    sha256: str | None = None
    more: tuple[int, ...] = ()
    closed: bool = False
    error: str | None = None

    @property
    def code(self) -> str | None:
        """The code of the problem, if the response is one."""
        if self.status is None or self.status < 400:
            return None
        value = self.json()
        code = value.get("code") if isinstance(value, dict) else None
        return code if isinstance(code, str) else None

    def json(self) -> Any:
        """The JSON value of the body, or None."""
        try:
            return json.loads(self.answer)
        except (ValueError, RecursionError):
            return None

    def describe(self) -> dict[str, Any]:
        """As the page gets it."""
        return {
            "backend": self.backend,
            "status": self.status,
            "code": self.code,
            "ms": self.ms,
            "content_type": self.content_type,
            "sha256": self.sha256,
            "answer": self.answer.decode("utf-8", "backslashreplace"),
            "answer_size": self.size,
            "more": list(self.more),
            "error": self.error,
        }
