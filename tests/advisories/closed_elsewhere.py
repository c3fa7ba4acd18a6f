"""Rows that need a later part of the project, and what that part has to do.

What can be tested of them today is tested like any other row.
"""

from collections.abc import Mapping

CLOSED_ELSEWHERE: Mapping[str, str] = {
    "H049": "the object store: its client must ignore the environment that httpoxy would set",
    "H062": "TLS: KeyUpdate and records split inside a body",
    "H109": "the page: an inspector that polls while uploads stall",
    "H111": "multipart answers: there are none, lists of ranges are ignored",
    "H112": "the object store: what its client escapes",
    "H154": "the page: a browser runs nothing of names, fields, headers and paths",
    "H158": "the page: no parameter is reflected, no script stands inline",
    "H172": "the page: /ui/ and /requests/ refuse foreign Host names too",
    "H176": "the page: redaction in what it shows and streams",
    "H180": "the page: its routes that change something",
}
