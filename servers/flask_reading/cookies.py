"""The Cookie field, as it was sent.

`werkzeug.http.parse_cookie` is not used. It loses cookies with blanks, commas or quotes (K2, K6, K12), and
decodes escapes that are not in RFC 6265 (K3, K5). The value is split by the algorithm of RFC 6265bis instead.
"""

from ..contract.request import Pair
from .abnf import BLANKS


def read_cookies(value: str) -> tuple[Pair, ...]:
    """Names and values as sent, in order, with duplicates. Without `=` the name is empty (K8)."""
    crumbs = (crumb.strip(BLANKS) for crumb in value.split(";"))
    return tuple(_cookie(crumb) for crumb in crumbs if crumb)


def _cookie(crumb: str) -> Pair:
    name, equals, value = crumb.partition("=")
    if not equals:
        return Pair("", crumb)
    return Pair(name.rstrip(BLANKS), value.lstrip(BLANKS))
