"""The body of a kept request without the chunked coding, as far as its bytes are kept."""

from collections.abc import Iterator


def decoded_body(kept: bytes, head: int, *, chunked: bool) -> bytes:
    """The bytes behind the head; of chunks their data, up to the first one that is malformed or not kept."""
    body = kept[head:]
    if not chunked:
        return body
    return b"".join(body[start : start + size] for start, size in _chunks(body))


def trailers_of(body: bytes) -> int:
    """Where the trailers of a chunked body begin, or its length if they do not begin in these bytes."""
    at = 0
    for at, size in _chunks(body):
        if not size:
            return at
    return len(body)


def _chunks(body: bytes) -> Iterator[tuple[int, int]]:
    """The start and the size of the data of each chunk, the last one of size 0 included."""
    at = 0
    while (end := body.find(b"\r\n", at)) >= 0:
        try:
            size = int(body[at:end].partition(b";")[0].strip(b" \t"), 16)
        except ValueError:
            return
        yield end + 2, max(size, 0)
        if size <= 0:
            return
        at = end + 2 + size + 2
