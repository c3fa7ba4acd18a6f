"""All limits of the contract. Every backend uses them; a flag and an environment variable set each one."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds, rates in bytes per second (contract section 5).

    The comment on each field names the Problem raised for a request that exceeds the limit. A value equal to
    the limit is accepted. In brackets: what other servers use.
    """

    max_request_line: int = 8190  # without its CRLF -> uri_too_long (RFC 9112 3: at least 8000)
    max_field_line: int = 8190  # with its CRLF -> headers_too_large (gunicorn 8190, nginx 8 KiB)
    max_fields: int = 100  # -> headers_too_large (gunicorn 100)
    max_trailers: int = 100  # -> bad_chunk
    max_chunk_line: int = 256  # size and extension, without CRLF -> bad_chunk
    max_body: int = 16 * GIB  # after chunked decoding -> body_too_large
    max_json: int = MIB  # -> body_too_large
    max_form: int = MIB  # urlencoded body -> body_too_large
    max_text: int = MIB  # a longer text body is accepted; its `text` is null
    max_field_text: int = MIB  # all text fields of a multipart body together -> field_too_large
    max_parts: int = 1000  # parts or urlencoded pairs -> too_many_parts (Django, PHP, Starlette 1000)
    max_part_headers: int = 16 * KIB  # one header block -> part_headers_too_large (busboy 16 KiB)
    max_part_fields: int = 32  # fields of one header block -> part_headers_too_large
    max_json_depth: int = 64  # -> json_too_deep
    head_timeout: int = 10  # from the first byte of a head to its last -> request_timeout
    body_idle_timeout: int = 30  # between two reads of a body -> request_timeout
    min_body_rate: int = 256  # over body_rate_window -> request_timeout
    body_rate_window: int = 60  # 0: no minimum rate
    keep_alive_timeout: int = 15  # until the next request -> closed without a response; 0: close after each
    send_timeout: int = 30  # while the client reads nothing -> the connection is closed
    resume_timeout: int = 86_400  # from the last byte of an unfinished upload -> not_found
    max_connections: int = (
        10_000  # of one process; fewer if the system allows fewer descriptors -> overloaded
    )
    max_connections_per_client: int = 0  # of one address, in one process; 0: no limit -> too_many_requests
    max_uploads: int = 1000  # at once in one process; 0: no limit -> overloaded
    max_uploads_per_client: int = 0  # of one address, in one process; 0: no limit -> too_many_requests


MAX_CONTENT_LENGTH_DIGITS = 25  # without leading zeros; more digits count as BEYOND_ALL_LIMITS (B7)
BEYOND_ALL_LIMITS = 10**MAX_CONTENT_LENGTH_DIGITS
MAX_CHUNK_SIZE_DIGITS = 16  # 64 bits; leading zeros count (B33)
MAX_BOUNDARY = 70  # RFC 2046 5.1.1
MAX_EMPTY_LINES = 64  # CRLFs before the first delimiter, and after the close delimiter (M13, M16)
MAX_PADDING = 64  # blanks after a boundary; with more of them it is no delimiter (M30, M18)
MAX_JSON_INTEGER_DIGITS = 1000  # J11 (CPython converts at most 4300)
LINGER_SECONDS = 2.0  # longest time of a lingering close (contract section 4)
LINGER_BYTES = MIB  # most bytes that a lingering close drains
