"""Parts in quoted-printable (RFC 2045 6.7) are accepted when decoding would change nothing (M75)."""

import re

from .problems import Problem

# An encoded octet or a soft line break; and blanks before a line end, which a decoder removes (rule 3).
_CHANGED = re.compile(rb"=|[ \t]\r?\n")
_BLANK_AT_END = re.compile(rb"[ \t]\r?\Z")


class QuotedPrintableCheck:
    """Checks the data of one part piece by piece. Both methods raise Problem `part_transfer_encoding`.

    Delphi's Indy sends all text fields so. Most servers ignore the encoding and some decode it, so they agree
    only on data that stay the same.
    """

    def __init__(self) -> None:
        self._end = b""

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Check the next bytes of the part."""
        searched = self._end + bytes(data)
        if _CHANGED.search(searched):
            raise _encoded()
        self._end = searched[-2:]  # a blank and CR

    def finish(self) -> None:
        """Check the end of the part."""
        if _BLANK_AT_END.search(self._end):
            raise _encoded()


def _encoded() -> Problem:
    what = "the data are quoted-printable and would have to be decoded; send them unencoded, as 8bit"
    return Problem("part_transfer_encoding", what, rule="M75")
