"""Every deliberate difference from the corpus, by the case's id, with the rule that makes it so: here alone.

A listed case that no longer differs fails its test, and so does one that differs in another way than is
written here. The tests of `test_differences.py` keep the list itself in order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Part = tuple[str | None, str | None, str | None, int]
"""Name, filename, value (None for a file) and size in bytes as sent."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What we do instead, by `rule`: refuse with `code`; or else describe `parts`, or `result` (a subset)."""

    rule: str
    reason: str
    code: str = ""
    parts: tuple[Part, ...] | None = None
    result: Mapping[str, Any] | None = None


_NO_HOST = Difference(
    "H24", "HTTP/1.1 without Host is refused; gunicorn's parser leaves it to others", "bad_host"
)
_FRAGMENT = Difference("R29", "a fragment is never sent", "request_line")
_TWO_CODINGS = Difference("B20", "Transfer-Encoding stands in one line", "bad_framing")
_CODED = Difference("B19", "no coding but chunked is implemented", "unsupported_transfer_coding")
_CONNECT = Difference("R7", "there is no tunnel here", "method_not_implemented")

# Over the wire to socket and gunicorn: where gunicorn's own parser decides otherwise.
GUNICORN: Mapping[str, Difference] = {
    "valid/004": _NO_HOST,
    "valid/005": _FRAGMENT,
    "valid/006": _NO_HOST,
    "valid/007": _NO_HOST,
    "valid/009": _FRAGMENT,
    "valid/010": _NO_HOST,
    "valid/011": _NO_HOST,
    "valid/012": _NO_HOST,
    "valid/013": _NO_HOST,
    "valid/014": _NO_HOST,
    "valid/018": _NO_HOST,
    "valid/021": _NO_HOST,
    "valid/023": _NO_HOST,
    "valid/025": _TWO_CODINGS,
    "valid/025_line": _CODED,
    "valid/027": Difference("R26", "a target is visible ASCII", "request_line"),
    "valid/029": _TWO_CODINGS,
    "valid/030": _TWO_CODINGS,
    "valid/031": _NO_HOST,
    "valid/099": Difference("B2", "the file has fewer bytes than its Content-Length", "body_truncated"),
    "valid/100": _NO_HOST,
    "valid/rfc9112_smuggle_gzip_chunked_01": _CODED,
    "valid/rfc9112_smuggle_te_identity_chunked_01": _CODED,
    "valid/rfc9112_target_absolute_01": Difference(
        "R2",
        "target is the path and query of an absolute-form",
        result={"target": "/foo?q=1", "host": "example.com"},
    ),
    "valid/rfc9112_target_absolute_https_01": Difference(
        "R2", "https: on a plain connection", "misdirected_host"
    ),
    "valid/rfc9112_target_absolute_ipv6_01": Difference(
        "R2", "target is the path of an absolute-form", result={"target": "/foo", "host": "[::1]:8080"}
    ),
    "valid/rfc9112_target_absolute_userinfo_01": Difference(
        "R2", "userinfo in the authority is refused", "request_line"
    ),
    "valid/rfc9112_target_authority_connect_01": _CONNECT,
    "valid/rfc9112_target_authority_ipv6_01": _CONNECT,
    "invalid/006": Difference(
        "R41", "a request line may have 8190 bytes, gunicorn's default is 4094", result={"method": "PUT"}
    ),
}

_DECODED = Difference("M74", "silently stored base64 would be a loss", "part_transfer_encoding")

PYTHON_MULTIPART: Mapping[str, Difference] = {
    "base64_encoding": _DECODED,
    "mixed_case_headers": _DECODED,
    "mixed_plain_and_base64_encoding": _DECODED,
    "quoted_printable_encoding": Difference("M75", "it would have to be decoded", "part_transfer_encoding"),
    "single_field_blocks": Difference(
        "M13", "the delimiters are those of another boundary", "multipart_preamble"
    ),
    "single_field_with_trailer": Difference("M16", "text follows the close delimiter", "multipart_epilogue"),
    "single_field_single_file": Difference(
        "M82",
        "its field was sent without the Content-Type that is expected",
        parts=(("field", None, "test1", 5), ("file", "file.txt", None, 5)),
    ),
}

WERKZEUG: Mapping[str, Difference] = {
    "ie7_full_path": Difference("M24", "the capture's lines end in LF alone", "multipart_preamble"),
}

_NESTED = 119  # bytes
_LATER_RULES: Mapping[str, Difference] = {
    "bd-pct22": Difference(
        "M10", "a quoted boundary may hold token characters", parts=(("a", None, "v", 1),)
    ),
    "bd-mixed-type": Difference("M12", "only multipart/form-data is parsed", parts=((None, None, None, 59),)),
    "bd-empty": Difference("M5", "an empty boundary is a missing one", "boundary_missing"),
    "bd-comma": Difference("M11", "a comma does not begin a parameter", "content_type_syntax"),
    "bd-wrong": Difference("M13", "the delimiter of another boundary", "multipart_preamble"),
    "bd-final-junk": Difference("M18", "text behind the close delimiter", "multipart_syntax"),
    "st-preamble": Difference("M13", "text before the first delimiter", "multipart_preamble"),
    "st-garbage": Difference("M13", "text before the first delimiter", "multipart_preamble"),
    "st-epilogue": Difference("M16", "text after the close delimiter", "multipart_epilogue"),
    "st-epi-nocrlf": Difference("M18", "text behind the close delimiter", "multipart_syntax"),
    "st-finalLF": Difference("M18", "a bare LF behind the close delimiter", "multipart_syntax"),
    "fn-both": Difference("M62", "the names conflict", "filename_conflict"),
    "fn-both-rev": Difference("M62", "the names conflict", "filename_conflict"),
    "ph-fold": Difference("M68", "a fold is refused", "part_header_syntax"),
    "ph-fold-tab": Difference("M68", "a fold is refused", "part_header_syntax"),
    "ph-fold-in-quote": Difference("M68", "a fold is refused", "part_header_syntax"),
    "st-empty": Difference("M23", "zero bytes are no body", parts=()),
    "st-lf": Difference(
        "M24", "the first delimiter has no CRLF, so that it is preamble", "multipart_preamble"
    ),
    "st-cr": Difference(
        "M25", "the first delimiter has no CRLF, so that it is preamble", "multipart_preamble"
    ),
    "cd-name-2231": Difference(
        "M64", "name* alone is decoded", parts=(("é", None, "v", 1), ("ok", None, "1", 1))
    ),
    "fn-latin1": Difference(
        "M51", "a filename that is not UTF-8 is ISO-8859-1", parts=(("f", "café.txt", None, 1),)
    ),
    "en-b64": _DECODED,
    "en-b64-file": _DECODED,
    "en-qp": Difference("M75", "it would have to be decoded", "part_transfer_encoding"),
    "en-unknown": Difference("M74", "it would have to be decoded", "part_transfer_encoding"),
    "en-charset-utf16": Difference("M77", "a file without a name", parts=(("a", None, None, 2),)),
    "en-charset-koi8": Difference("M77", "a file without a name", parts=(("a", None, None, 1),)),
    "en-badutf8": Difference("M78", "bytes that are no UTF-8 are a file", parts=(("a", None, None, 3),)),
    "en-_charset_": Difference(
        "M80",
        "_charset_ has no effect, so that the second part is no UTF-8 (M78)",
        parts=(("_charset_", None, "iso-8859-1", 10), ("a", None, None, 1)),
    ),
    "en-octet-nofn": Difference("M81", "octet-stream is no text type", parts=(("a", None, None, 2),)),
    "nest-mixed": Difference("M84", "an opaque file without a name", parts=(("a", None, None, _NESTED),)),
}

# The first version of the rules had finer codes; contract section 4 joined them.
_JOINED_CODES: Mapping[str, Difference] = {
    "bd-dup-param": Difference("M7", "one code for a malformed Content-Type", "content_type_syntax"),
    "bd-dup-param2": Difference("M7", "one code for a malformed Content-Type", "content_type_syntax"),
    "cd-missing": Difference("M37", "the recorded text was that of a library", "disposition_missing"),
    "cd-dup-name": Difference("M47", "one code for a malformed disposition", "disposition_syntax"),
    "cd-dup-filename": Difference("M47", "one code for a malformed disposition", "disposition_syntax"),
    "cd-dup-header": Difference("M48", "one code for malformed part headers", "part_header_syntax"),
    "cd-dup-ct": Difference("M49", "one code for malformed part headers", "part_header_syntax"),
    "fn-cont": Difference("M64", "one code for a malformed extended parameter", "filename_ext"),
    "ph-big": Difference("M73", "each limit has its own code", "part_headers_too_large"),
    "ph-huge": Difference("M73", "each limit has its own code", "part_headers_too_large"),
    "ph-many": Difference("M73", "each limit has its own code", "part_headers_too_large"),
    "lm-1001": Difference("M86", "each limit has its own code", "too_many_parts"),
}
OWN_MULTIPART: Mapping[str, Difference] = {**_LATER_RULES, **_JOINED_CODES}

JSON: Mapping[str, Difference] = {
    "y_object_duplicated_key.json": Difference("J5", "names must be unique", "json_duplicate_key"),
    "y_object_duplicated_key_and_value.json": Difference("J5", "names must be unique", "json_duplicate_key"),
    "n_structure_no_data.json": Difference(
        "J1", "zero bytes are no body, whatever the type", result={"json": None}
    ),
}

_NOT_UTF8 = Difference("U7", "U+FFFD would be a silent repair", "form_not_utf8")

URLENCODED: Mapping[str, Difference] = {
    "wpt-04": _NOT_UTF8,
    "wpt-05": _NOT_UTF8,
    "wpt-07": _NOT_UTF8,
    "wpt-08": _NOT_UTF8,
    "wpt-09": _NOT_UTF8,
}

# The rule by which `flask run` cannot answer as socket does: its development server has parsed the head.
FLASK_RUN: Mapping[str, str] = {
    "rl-http09": "R13",
    "rl-http09-post": "R13",
    "rl-two": "R13",
    "rl-only-method": "R13",
    "rl-http20": "R10",
    "rl-http30": "R10",
    "rl-h2preface": "R10",
    "rl-http11-lower": "R11",
    "rl-http1": "R11",
    "rl-httpx": "R11",
    "rl-dblspace": "R14",
    "rl-dblspace2": "R14",
    "rl-tab": "R14",
    "rl-trailspace": "R14",
    "rl-leadspace": "R14",
    "rl-empty-target": "R14",
    "rl-space-in-target": "R15",
    "rl-leadcrlf": "R16",
    "rl-leadcrlf2": "R17",
    "rl-leadlf": "R17",
    "rl-lf-only": "R18",
    "rl-lf-line1": "R18",
    "rl-bare-cr": "R19",
    "rl-slashslash": "R31",
    "rl-slashslash-only": "R31",
    "rl-brackets-netloc": "R31",
    "rl-abs-bad-ipv6": "R4",
    "rl-long-70000": "R41",
    "rl-tls": "R42",
    "hd-obsfold-sp": "H1",
    "hd-obsfold-tab": "H1",
    "hd-obsfold-first": "H1",
    "hd-fold-empty": "H1",
    "hd-leading-space": "H2",
    "hd-ws-line": "H3",
    "hd-bare-cr-value": "H4",
    "hd-bare-lf": "H5",
    "hd-end-lf": "H5",
    "hd-end-crlf-lf": "H5",
    "hd-crcrlf": "H6",
    "hd-space-colon": "H7",
    "hd-tab-colon": "H7",
    "hd-space-colon-cl": "H8",
    "te-space-colon": "H8",
    "hd-name-space": "H9",
    "hd-no-colon": "H9",
    "hd-empty-name": "H10",
    "hd-nul-name": "H15",
    "hd-nonascii-name": "H15",
    "hd-sep-name": "H15",
    "hd-dup-cookie": "H21",
    "ck-two-hdr": "H21",
    "hd-dup-ct": "H22",
    "hd-dup-ct-same": "H22",
    "hd-count-100": "H29",
    "hd-count-101": "H29",
    "hd-dup-auth": "H23",
    "hd-size-8191": "H30",
    "hd-size-66000": "H30",
    "cl-dup-same": "B8",
    "cl-dup-diff": "B9",
}
# The same for the requests that gunicorn's own parser is tested with.
GUNICORN_FLASK_RUN: Mapping[str, str] = {
    "valid/025": "B20",
    "valid/027": "R26",
    "valid/029": "B20",
    "valid/030": "B20",
    "invalid/001": "R42",
    "invalid/002": "R13",
    "invalid/003": "R18",
    "invalid/004": "R11",
    "invalid/008": "H30",
    "invalid/016": "R4",
    "invalid/018": "R11",
    "invalid/041": "H22",
    "invalid/obs_fold_01": "H1",
    "invalid/prefix_06": "R11",
    "invalid/version_02": "R10",
}
# Rules that `flask run` can keep on the whole: only beyond its server's own limits it cannot.
SERVER_LIMITS: Mapping[str, str] = {
    "B20": "Werkzeug's server joins two Transfer-Encoding lines: they are one list by then",
    "R26": "Werkzeug's server takes the byte A0 for a blank, and refuses four words itself, with HTML",
    "R15": "Werkzeug's server refuses four words itself, with HTML",
    "R41": "Werkzeug's server refuses a request line over 64 KiB itself, with HTML",
}
