"""What OpenAI's own clients must find in a server of ours: the report of `openai_calls`, read and checked."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_SECONDS = 60
DELAY = 0.1
CHAT_DELAY = 0.05
WORDS = ["echo", " ", "this,", " ", "word", " ", "by", " ", "word"]
# The prompt is "be an echo" (5 tokens) and the words; they are the completion too.
USAGE = [5 + len(WORDS), len(WORDS), 5 + 2 * len(WORDS)]
STREAMED = {
    "role": "assistant",
    "contents": WORDS,
    "finish_reason": "stop",
    "ids": 1,
    "objects": ["chat.completion.chunk"],
    "usage": None,
}
WHOLE = {"role": "assistant", "finish_reason": "stop", "object": "chat.completion"}
EXPECTED = {
    "streamed": STREAMED,
    "streamed_with_usage": {**STREAMED, "usage": USAGE},
    "whole": {**WHOLE, "content": "".join(WORDS), "usage": USAGE},
    "only_a_system_message": {**WHOLE, "content": "be an echo", "usage": [5, 5, 10]},
    "models": ["echo"],
    "model": "echo",
    "no_such_model": {"raised": "NotFoundError", "status": 404, "code": "not_found"},
    "refused_before_the_stream": {"raised": "BadRequestError", "status": 400, "code": "bad_value"},
    "no_such_route": {"raised": "NotFoundError", "status": 404, "code": "not_found"},
}
UNAUTHENTICATED = {"raised": "AuthenticationError", "status": 401, "code": "token_required"}


def report_of(command: Sequence[str | Path], url: str, key: str = "none") -> dict[str, Any]:
    """Run an actor against the server at `url`. Its warnings are errors, as everywhere in the tests."""
    done = subprocess.run(
        [*map(str, command), url, key], capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert isinstance(report, dict)
    return report


def assert_as_expected(report: dict[str, Any]) -> None:
    """All is as in OpenAI's format, and streams with a delay came piece by piece."""
    for name, pieces, delay in (("stream_echo", list("echo this"), DELAY), ("paced", WORDS, CHAT_DELAY)):
        arrivals = report.pop(name)
        assert [piece for _, piece in arrivals] == pieces
        # Eight pauses lie between the first and the last; a client that got all at the end has none.
        assert arrivals[-1][0] - arrivals[0][0] > 4 * delay
    assert report == EXPECTED
