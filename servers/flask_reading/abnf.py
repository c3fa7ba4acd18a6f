"""The rules of RFC 9110 section 5.6 that field values are made of, as regular expressions."""

import re

# token = 1*tchar (RFC 9110 5.6.2)
TCHAR = r"!#$%&'*+\-.^_`|~0-9A-Za-z"
TOKEN = re.compile(rf"[{TCHAR}]+")

# quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE (RFC 9110 5.6.4). Characters beyond 0xFF occur in
# the header of a part, which is decoded as UTF-8 first.
QUOTED_STRING = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\U0010ffff]|\\[\t \x21-\x7e\x80-\U0010ffff])*"'
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)

# What a field value must not contain: C0 without TAB, and DEL (RFC 9110 5.5).
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

BLANKS = " \t"
"""OWS. Use `strip(BLANKS)`: `strip()` also removes NBSP and the separators of ASCII."""


def unquote(quoted: str) -> str:
    """The value of a quoted-string: without its quotes, and each quoted-pair as its character."""
    return _QUOTED_PAIR.sub(r"\1", quoted[1:-1])
