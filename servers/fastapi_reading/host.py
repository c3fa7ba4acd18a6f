"""Host and the authority of a target: uri-host [ ":" port ] (RFC 9110 7.2, RFC 3986 3.2.2)."""

import socket

from .characters import ALPHANUMERIC, consists_of

# unreserved and sub-delims without the comma, which joined Host fields would bring (H26).
_REG_NAME = ALPHANUMERIC + b"-._~!$&'()*+;="
_MAX_PORT = 65535
_HEX = b"0123456789abcdefABCDEF"


def is_host(authority: bytes) -> bool:
    """Whether it is a host, not empty, with a port up to 65535, an empty one or none (H27)."""
    if authority.startswith(b"["):
        address, bracket, port = authority[1:].partition(b"]")
        return bracket != b"" and _is_ipv6(address) and (port == b"" or _is_port(port))
    name, colon, digits = authority.partition(b":")
    return _is_reg_name(name) and _is_port(colon + digits or b":")


def _is_port(port: bytes) -> bool:
    """`port` begins with its colon."""
    digits = port[1:]
    if not port.startswith(b":") or not consists_of(digits, b"0123456789"):
        return False
    significant = digits.lstrip(b"0")
    return len(significant) <= 5 and int(significant or b"0") <= _MAX_PORT


def _is_reg_name(name: bytes) -> bool:
    encoded = name.split(b"%")[1:]
    well_encoded = all(len(piece) >= 2 and consists_of(piece[:2], _HEX) for piece in encoded)
    return name != b"" and well_encoded and consists_of(name, _REG_NAME + b"%")


def _is_ipv6(address: bytes) -> bool:
    if not consists_of(address, _HEX + b":."):
        return False  # a zone, which is not for Host (RFC 6874)
    try:
        socket.inet_pton(socket.AF_INET6, address.decode("ascii"))
    except OSError:
        return False
    return True
