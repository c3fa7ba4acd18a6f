"""Other protocols that clients speak by mistake, recognised by the first bytes of a connection."""

# TLSPlaintext: ContentType handshake (22), then a version that begins with 3 (RFC 8446 5.1)
_TLS_HANDSHAKE = b"\x16\x03"
# The connection preface of HTTP/2 (RFC 9113 3.4)
_HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n"


def foreign_protocol(first: bytes) -> str | None:
    """What a connection that begins with these bytes speaks, and what to do instead; None for HTTP/1.1."""
    if first.startswith(_TLS_HANDSHAKE):
        return "this looks like TLS: use http://, because this server has no TLS"
    if first.startswith(_HTTP2_PREFACE):
        return "this is HTTP/2 with prior knowledge: use HTTP/1.1, because this server has no HTTP/2"
    return None
