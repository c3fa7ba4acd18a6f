"""`uri-host [ ":" port ]`: the value of Host, and the authority of an absolute-form target (RFC 9110 7.2)."""

import ipaddress
import re

# reg-name of RFC 3986 3.2.2, at least one character and without the comma: WSGI joins two Host lines with a
# comma (H26). `_` is in `unreserved`, and docker compose needs it (H27).
_REG_NAME = r"(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+"
_HOST = re.compile(rf"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|{_REG_NAME})(?::(?P<port>[0-9]*))?")
_LAST_PORT = 65535


def is_host(value: str) -> bool:
    """Whether `value` is a host that is not empty, without a port or with one up to 65535 (H27)."""
    match = _HOST.fullmatch(value)
    if match is None:
        return False
    address, port = match["ipv6"], (match["port"] or "").lstrip("0")
    if len(port) > len(str(_LAST_PORT)) or int(port or "0") > _LAST_PORT:
        return False
    return address is None or _is_ipv6(address)


def _is_ipv6(address: str) -> bool:
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    return True
