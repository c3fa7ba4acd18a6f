"""The few rules of RFC 9110 section 5.6 that every field value is made of, as regular expressions."""

import re

# token = 1*tchar (RFC 9110 5.6.2)
TCHAR = r"!#$%&'*+\-.^_`|~0-9A-Za-z"
TOKEN = re.compile(rf"[{TCHAR}]+")

# quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE (RFC 9110 5.6.4). Characters beyond 0xFF occur in
# the header of a part, which was decoded as UTF-8 before.
QUOTED_STRING = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\U0010ffff]|\\[\t \x21-\x7e\x80-\U0010ffff])*"'
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)

# All that may never stand in a field value: C0 without TAB, and DEL (RFC 9110 5.5).
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

BLANKS = " \t"
"""OWS: `strip(BLANKS)`, never `strip()`, which takes NBSP and the separators of ASCII too."""


def unquote(quoted: str) -> str:
    """What a quoted-string means: without its quotes, each quoted-pair as its character."""
    return _QUOTED_PAIR.sub(r"\1", quoted[1:-1])
