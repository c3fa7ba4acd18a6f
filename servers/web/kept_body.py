"""The body of a kept request without the chunked coding, as far as its bytes are kept."""


def decoded_body(kept: bytes, head: int, *, chunked: bool) -> bytes:
    """The bytes behind the head; of chunks their data, up to the first one that is malformed or not kept."""
    body = kept[head:]
    if not chunked:
        return body
    pieces: list[bytes] = []
    at = 0
    while (end := body.find(b"\r\n", at)) >= 0:
        try:
            size = int(body[at:end].partition(b";")[0].strip(b" \t"), 16)
        except ValueError:
            break
        if size <= 0:
            break
        pieces.append(body[end + 2 : end + 2 + size])
        at = end + 2 + size + 2
    return b"".join(pieces)
