"""A defect of h11, in its smallest form (see README.md). The test fails when the defect is repaired."""

import pytest

h11 = pytest.importorskip("h11", reason="it comes with the extra fastapi")


def test_a_folded_trailer_is_accepted_and_unfolded() -> None:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.receive_data(b"0\r\nX: a\r\n b\r\n\r\n")
    assert isinstance(connection.next_event(), h11.Request)
    end = connection.next_event()
    assert isinstance(end, h11.EndOfMessage)
    assert list(end.headers) == [(b"x", b"a b")]
