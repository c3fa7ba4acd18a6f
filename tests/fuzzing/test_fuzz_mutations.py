"""Mutations and splits: lengths stay true, no piece is empty, the same seed makes the same bytes."""

import random

import pytest

from clients.fuzzing.mutations import (
    boundary_of,
    has_length_of,
    mutate_body,
    mutate_request,
    split_offsets,
    with_length,
)

_HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\n"
REQUEST = _HEAD + b"Content-Length: 15\r\n\r\n--b\r\nX\r\n--b--\r\n"


def test_a_mutated_request_mostly_keeps_a_true_length() -> None:
    mutated = [mutate_request(REQUEST, random.Random(seed)) for seed in range(400)]
    assert sum(has_length_of(one) for one in mutated) > 250
    assert any(not has_length_of(one) for one in mutated)
    assert sum(one != REQUEST for one in mutated) > 350


def test_the_same_seed_makes_the_same_mutation() -> None:
    for seed in range(50):
        one, other = random.Random(seed), random.Random(seed)
        assert mutate_request(REQUEST, one) == mutate_request(REQUEST, other)
        assert mutate_body(b"--b--", one, b"b") == mutate_body(b"--b--", other, b"b")


def test_heads_and_bodies_are_both_mutated() -> None:
    head, _, body = REQUEST.partition(b"\r\n\r\n")
    mutated = [mutate_request(REQUEST, random.Random(seed)) for seed in range(200)]
    assert any(one.endswith(b"\r\n\r\n" + body) for one in mutated)
    assert any(one.startswith(head[:60]) and not one.endswith(body) for one in mutated)


@pytest.mark.parametrize("request_bytes", [b"", b"\r\n\r\n", b"x", b"GET / HTTP/1.1\r\n\r\n"])
def test_even_the_smallest_request_can_be_mutated(request_bytes: bytes) -> None:
    for seed in range(50):
        mutate_request(request_bytes, random.Random(seed))


def test_a_wrong_length_is_corrected() -> None:
    wrong = REQUEST.replace(b"15", b"007")
    assert not has_length_of(wrong)
    assert with_length(wrong) == REQUEST
    assert has_length_of(REQUEST)
    assert not has_length_of(b"GET / HTTP/1.1\r\n\r\n")
    assert not has_length_of(REQUEST.replace(b"Host: h", b"Content-Length: 15"))


@pytest.mark.parametrize(
    ("head", "boundary"),
    [
        (_HEAD, b"b"),
        (b'Content-Type: multipart/form-data; BOUNDARY="a b"', b"a b"),
        (b"Content-Type: text/plain", None),
    ],
)
def test_a_likely_boundary_is_found(head: bytes, boundary: bytes | None) -> None:
    assert boundary_of(head) == boundary


def test_splits_leave_no_piece_empty() -> None:
    for seed in range(300):
        places = split_offsets(REQUEST, random.Random(seed))
        assert places == tuple(sorted(set(places)))
        assert places[0] > 0
        assert places[-1] < len(REQUEST)
    assert split_offsets(b"x", random.Random(0)) == ()
