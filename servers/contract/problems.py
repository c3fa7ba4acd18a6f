"""All problem codes of the contract in one table, and the exception that carries one (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """What a problem code means. `title` is the same each time; `Problem.detail` describes one occurrence.

    `rules` are the identifiers of the rules that it enforces, `reference` is the section of the standard.
    """

    code: str
    status: int
    title: str
    rules: tuple[str, ...] = ()
    reference: str = ""


def _kind(code: str, status: int, title: str, rules: str = "", reference: str = "") -> ProblemKind:
    return ProblemKind(code, status, title, tuple(rules.split()), reference)


_KINDS = (
    # The request line.
    _kind(
        "request_line",
        400,
        "The request line is malformed",
        "R2 R4 R6 R11 R12 R13 R14 R15 R17 R18 R19 R26 R27 R29 R40 R42",
        "RFC 9112, section 3",
    ),
    _kind("uri_too_long", 414, "The request line is too long", "R41", "RFC 9110, section 15.5.15"),
    _kind(
        "unsupported_version", 505, "This HTTP version is not supported", "R10", "RFC 9110, section 15.6.6"
    ),
    _kind("method_not_implemented", 501, "This method is not implemented", "R7 R38 R39", "RFC 9110, 9"),
    _kind("bad_percent", 400, "The path decodes to a control character", "R23", "RFC 3986, section 2.1"),
    _kind("target_not_utf8", 400, "The request target is not UTF-8", "R24 R37", "RFC 3986, section 2.5"),
    # The field lines.
    _kind(
        "bad_host",
        400,
        "The Host field is missing or malformed",
        "H12 H13 H24 H26 H27",
        "RFC 9112, section 3.2",
    ),
    _kind(
        "bad_framing",
        400,
        "The length of the body is ambiguous or malformed",
        "B5 B8 B9 B10 B16 B17 B18 B20 B21 B22 B23 H12 H13",
        "RFC 9112, section 6.3",
    ),
    _kind(
        "unsupported_transfer_coding",
        501,
        "Only the chunked transfer coding is implemented",
        "B19",
        "RFC 9112, section 6.1",
    ),
    _kind(
        "bad_header",
        400,
        "A header field is malformed",
        "H1 H2 H3 H4 H5 H6 H7 H8 H9 H10 H12 H13 H15 H22 H23",
        "RFC 9112, section 5",
    ),
    _kind("headers_too_large", 431, "The header fields are too large or too many", "H29 H30", "RFC 6585, 5"),
    _kind(
        "expectation_failed",
        417,
        "Only the expectation 100-continue is known",
        "H35",
        "RFC 9110, section 10.1.1",
    ),
    # The body's framing.
    _kind(
        "bad_chunk",
        400,
        "The chunked body is malformed",
        "B27 B29 B30 B31 B33 B34 B35",
        "RFC 9112, section 7.1",
    ),
    _kind("body_truncated", 400, "The connection ended before the body did", "B2 B36", "RFC 9112, section 8"),
    # Content types.
    _kind(
        "content_type_syntax",
        400,
        "The Content-Type is malformed",
        "C2 C4 C5 C6 M2 M7 M8 M11",
        "RFC 9110, section 8.3.1",
    ),
    _kind(
        "unsupported_content_encoding", 415, "A multipart body must not be encoded", "B44", "RFC 9110, 8.4.1"
    ),
    _kind("unsupported_media_type", 415, "This route takes another media type", "W2", "RFC 9110, 15.5.16"),
    _kind("boundary_missing", 400, "The multipart boundary is missing", "M5", "RFC 2046, section 5.1.1"),
    _kind("boundary_invalid", 400, "The multipart boundary is malformed", "M3 M4 M6 M9", "RFC 2046, 5.1.1"),
    # Digests.
    _kind("digest_syntax", 400, "A digest field is malformed", "D3 D4", "RFC 9530, section 2"),
    _kind(
        "digest_mismatch",
        400,
        "The body does not have the digest that was sent with it",
        "D1",
        "RFC 9530, section 2",
    ),
    # The structure of a multipart body.
    _kind(
        "multipart_preamble",
        400,
        "The first part does not begin with a delimiter",
        "M13 M24 M25 M31",
        "RFC 2046, section 5.1.1",
    ),
    _kind(
        "multipart_epilogue",
        400,
        "The body goes on after the close delimiter",
        "M16",
        "RFC 2046, section 5.1.1",
    ),
    _kind(
        "multipart_truncated",
        400,
        "The multipart body has no close delimiter",
        "M20 M21 M23",
        "RFC 2046, section 5.1.1",
    ),
    _kind(
        "multipart_syntax",
        400,
        "The close delimiter is not alone in its line",
        "M18",
        "RFC 2046, section 5.1.1",
    ),
    # The header block of a part.
    _kind("part_headers_missing", 400, "A part has no header fields", "M35", "RFC 7578, section 4.2"),
    _kind(
        "part_header_syntax",
        400,
        "A part's header block is malformed",
        "M26 M36 M48 M49 M66 M67 M68 M69 M70 M71 M74",
        "RFC 2046, section 5.1",
    ),
    _kind("part_header_encoding", 400, "A part's header field is not UTF-8", "M51", "RFC 7578, section 5.1"),
    _kind("disposition_missing", 400, "A part has no Content-Disposition", "M37", "RFC 7578, section 4.2"),
    _kind(
        "disposition_syntax",
        400,
        "A part's Content-Disposition is malformed",
        "M42 M45 M46 M47 M59 M60 M63",
        "RFC 6266, section 4.1",
    ),
    _kind("disposition_type", 400, "A part is not form-data", "M40", "RFC 7578, section 4.2"),
    _kind(
        "filename_conflict",
        400,
        "A part has two names that differ",
        "M62",
        "RFC 6266, section 4.3",
    ),
    _kind("name_missing", 400, "A part has no name", "M38", "RFC 7578, section 4.2"),
    _kind("filename_ext", 400, "An extended parameter is malformed", "M63 M64", "RFC 8187, section 3.2"),
    _kind(
        "part_transfer_encoding",
        400,
        "A part has a Content-Transfer-Encoding that would have to be decoded",
        "M74 M75",
        "RFC 7578, section 4.7",
    ),
    # Text that does not decode.
    _kind("form_not_utf8", 400, "The urlencoded body is not UTF-8", "U7 U9", "WHATWG URL, section 5.1"),
    _kind("text_encoding", 400, "The text body does not decode in its charset", "C12", "RFC 9110, 8.3.2"),
    # JSON.
    _kind("json_invalid", 400, "The JSON body is malformed", "J1 J3 J4 J7 J8 J9 J10 J12 J13", "RFC 8259"),
    _kind("json_duplicate_key", 400, "A JSON object repeats a key", "J5", "RFC 7493, section 2.3"),
    _kind("json_too_deep", 400, "The JSON body is nested too deep", "J15", "RFC 8259, section 9"),
    # Too large, too many.
    _kind("body_too_large", 413, "The body is too large", "B33 B41 B43 P3 U15", "RFC 9110, 15.5.14"),
    _kind("field_too_large", 413, "The text fields are too large", "M87", "RFC 9110, section 15.5.14"),
    _kind("too_many_parts", 413, "The form has too many parts", "M86 U15", "RFC 9110, section 15.5.14"),
    _kind("part_headers_too_large", 413, "A part's header block is too large", "M73", "RFC 9110, 15.5.14"),
    # Values on named routes.
    _kind("bad_value", 400, "A value is out of range or of the wrong type", "", "RFC 9110, section 15.5.1"),
    _kind(
        "partial_put",
        400,
        "A part of a file cannot take the place of the file",
        "W1",
        "RFC 9110, section 14.5",
    ),
    _kind("not_found", 404, "There is nothing here", "P10 S3", "RFC 9110, section 15.5.5"),
    _kind("method_not_allowed", 405, "This route takes other methods", "S4", "RFC 9110, 15.5.6"),
    _kind(
        "precondition_failed", 412, "The stored file is not the one that was named", "W3", "RFC 9110, 13.1.1"
    ),
    _kind("range_not_satisfiable", 416, "The range lies outside the file", "S6", "RFC 9110, 15.5.17"),
    # Uploads that come in pieces.
    _kind(
        "upload_field",
        400,
        "A field of a resumable upload is missing or malformed",
        "P1 P3 P4 P5 P6 P13",
        "tus 1.0, Headers",
    ),
    _kind("upload_version", 412, "This version of tus is not supported", "P2", "tus 1.0, Tus-Resumable"),
    _kind("upload_media_type", 415, "The body of a piece has another type", "P8 P12", "tus 1.0, PATCH"),
    _kind("upload_offset", 409, "The upload has another offset", "P5", "tus 1.0, PATCH"),
    _kind("upload_taken_over", 409, "Another request has taken over the upload", "P9", "RFC 9110, 15.5.10"),
    _kind("upload_length", 400, "The length of the upload is inconsistent", "P7", "RFC 9110, 15.5.1"),
    _kind("upload_completed", 400, "The upload is already complete", "P15", "RFC 9110, 15.5.1"),
    _kind("upload_checksum", 460, "The piece has another checksum", "P6", "tus 1.0, Checksum"),
    # Access and state.
    _kind("token_required", 401, "A token is required", "", "RFC 9110, section 15.5.2"),
    _kind("forbidden_token", 403, "The token does not allow this", "", "RFC 6750, section 3.1"),
    _kind("forbidden_origin", 403, "Another site's page must not send this", "", "RFC 9110, 15.5.4"),
    _kind("misdirected_host", 421, "This server does not answer for that host", "R2", "RFC 9110, 15.5.20"),
    _kind("request_timeout", 408, "The request took too long to arrive", "B3", "RFC 9110, 15.5.9"),
    _kind("too_many_requests", 429, "Too many requests", "", "RFC 6585, section 4"),
    _kind("internal", 500, "The server failed", "", "RFC 9110, section 15.6.1"),
    _kind("overloaded", 503, "The server is at its limit", "", "RFC 9110, section 15.6.4"),
    _kind("shutting_down", 503, "The server is about to stop", "", "RFC 9110, section 15.6.4"),
    _kind("store_unavailable", 503, "The store cannot be used", "", "RFC 9110, section 15.6.4"),
    _kind("insufficient_storage", 507, "The store is full", "", "RFC 4918, section 11.5"),
)

PROBLEMS: dict[str, ProblemKind] = {kind.code: kind for kind in _KINDS}
"""Every problem code with its meaning (contract section 4)."""


class Problem(Exception):
    """Raised to refuse a request. `code` is a key of `PROBLEMS`; `detail` says what is wrong and where.

    `headers` are additional fields of the response, such as `Allow` (RFC 9110 15.5.6). The others are not
    sent, and each is None if it is not known:

    - `rule` is the one rule that decided: one of `kind.rules`, or None if no rule says it.
    - `offset` is the number of bytes before the first one that could not be accepted. In a body they are
      counted after chunks are decoded, and `fault` is the range of the faulty bytes. Elsewhere they are
      counted on the wire, from the first byte of the request, and `fault` is None.
    - `field` is what was judged by its value alone: a header field in lower case, `method` or `target`.

    `members` are further members of the response, or take the place of those that it has (RFC 9457 3.2).
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        rule: str | None = None,
        offset: int | None = None,
        fault: range | None = None,
        field: str | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.kind = PROBLEMS[code]
        self.detail = detail
        self.headers = headers
        self.rule = rule
        self.offset = fault.start if offset is None and fault is not None else offset
        self.fault = fault
        self.field = field
        self.members = members or {}

    @property
    def code(self) -> str:
        return self.kind.code

    @property
    def status(self) -> int:
        return self.kind.status

    def at(self, place: str) -> "Problem":
        """The same problem, whose detail begins with the place of the fault (W6)."""
        return self._with(f"{place}: {self.detail}", 0)

    def behind(self, size: int) -> "Problem":
        """The same problem, whose places were counted from a byte with `size` bytes before it."""
        return self._with(self.detail, size)

    def _with(self, detail: str, size: int) -> "Problem":
        offset = None if self.offset is None else self.offset + size
        fault = None if self.fault is None else range(self.fault.start + size, self.fault.stop + size)
        return Problem(
            self.code,
            detail,
            headers=self.headers,
            rule=self.rule,
            offset=offset,
            fault=fault,
            field=self.field,
            members=self.members,
        )

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.detail}"
