"""The grammar of Host: `uri-host [ ":" port ]` (RFC 9112 3.2, RFC 3986 3.2.2)."""

import re

# reg-name = *( unreserved / pct-encoded / sub-delims ). Here it is not empty and has no comma: a comma
# comes from two Host fields that were joined (H26). An IPv4address is a reg-name too.
_HOST = re.compile(r"(?:(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+|\[([0-9A-Fa-f:.]+)\])(?::([0-9]*))?")
# As much of it as there is.
_BEGINNING = re.compile(
    r"(?:(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+|\[(?P<address>[0-9A-Fa-f:.]*)\])(?::(?P<port>[0-9]*))?"
    r"|\[[0-9A-Fa-f:.]*"
)
# h16 = 1*4HEXDIG; dec-octet = 0 to 255 without leading zeros
_H16 = re.compile(r"[0-9A-Fa-f]{1,4}")
_DEC_OCTET = re.compile(r"25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]")


def is_host(value: str) -> bool:
    """Whether `value` is a host with an optional port of at most 65535 (H27)."""
    match = _HOST.fullmatch(value)
    if match is None:
        return False
    address, port = match.groups()
    if port is not None:
        digits = port.lstrip("0")
        if len(digits) > 5 or int(digits or 0) > 65535:
            return False
    return address is None or _is_ipv6(address)


def end_of_host(value: str) -> int:
    """The offset of the first character that `is_host` cannot accept.

    For an address that is malformed inside its brackets, and for a port that is too large, where it begins.
    """
    match = _BEGINNING.match(value)
    if match is None or match.end() < len(value):
        return 0 if match is None else match.end()
    if match["address"] is not None and not _is_ipv6(match["address"]):
        return match.start("address")
    return len(value) if match["port"] is None else match.start("port")


def _is_ipv6(address: str) -> bool:
    """RFC 3986 3.2.2: eight groups, or fewer with one `::`; the last two may be an IPv4 address."""
    left, elision, right = address.partition("::")
    groups = [*_groups(left), *_groups(right)]
    if elision and "::" in right:
        return False
    size = len(groups)
    if groups and "." in groups[-1] and (right or not elision):
        octets = groups.pop().split(".")
        if len(octets) != 4 or not all(_DEC_OCTET.fullmatch(octet) for octet in octets):
            return False
        size += 1
    if not all(_H16.fullmatch(group) for group in groups):
        return False
    return size <= 7 if elision else size == 8


def _groups(part: str) -> list[str]:
    return part.split(":") if part else []
