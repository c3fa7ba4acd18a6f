"""FormDataParser: a Problem is raised again, and the trace. tests/both_parsers has the rules."""

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.sansio.multipart import FormDataParser
from servers.sansio.stream import Role
from tests.both_parsers.forms import ACCEPTED, END, HEAD
from tests.sansio.splits import bytewise


def test_a_problem_is_raised_again() -> None:
    parser = FormDataParser(b"b", Limits())
    first = _problem_of(parser, b"--b\r\n\r\nx")
    assert first.code == "part_headers_missing"
    assert _problem_of(parser, HEAD + b"v" + END) is first
    with pytest.raises(Problem) as raised:
        list(parser.finish())
    assert raised.value is first


def _problem_of(parser: FormDataParser, data: bytes) -> Problem:
    with pytest.raises(Problem) as raised:
        list(parser.feed(data))
    return raised.value


@pytest.mark.parametrize(("body", "data"), [pytest.param(*case, id=name) for name, *case in ACCEPTED])
def test_a_trace_gets_every_byte_once_and_in_order(body: bytes, data: list[bytes]) -> None:
    for pieces in ([body], bytewise(body) if len(body) < 4096 else [body[:7], body[7:]]):
        traced = _trace(pieces)
        assert b"".join(raw for _, raw in traced) == body
        assert b"".join(raw for role, raw in traced if role is Role.PART_DATA) == b"".join(data)


def _trace(pieces: list[bytes]) -> list[tuple[Role, bytes]]:
    traced: list[tuple[Role, bytes]] = []
    parser = FormDataParser(b"b", Limits(), lambda role, raw: traced.append((role, bytes(raw))))
    for piece in pieces:
        list(parser.feed(piece))
    list(parser.finish())
    return traced
