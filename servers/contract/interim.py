"""104 (Upload Resumption Supported), which is sent while a body is still coming.

Source: draft-ietf-httpbis-resumable-upload, section "Status Code 104".
"""

Fields = tuple[tuple[str, str], ...]


def on_the_wire(fields: Fields) -> bytes:
    """The whole interim response. It has no body (RFC 9110 15.2)."""
    lines = ("HTTP/1.1 104 Upload Resumption Supported", *(f"{name}: {value}" for name, value in fields))
    return "\r\n".join((*lines, "", "")).encode("ascii")
