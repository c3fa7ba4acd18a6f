"""From a URL and its params to the address to connect to, the Host field and the request target.

The steps are those of requests and urllib3, one after the other, because the result shall be theirs to the
byte: each component normalised (RFC 3986), params appended, unreserved octets decoded, all others encoded.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from .encode import UNRESERVED, as_utf8, percent_encode, urlencode
from .errors import UsageError

DEFAULT_PORTS = {"http": 80, "https": 443}

# sub-delims, userinfo, pchar, query                                       RFC 3986, sections 2.2, 3.2 to 3.4
_USERINFO = UNRESERVED | frozenset(b"!$&'()*+,;=:")
_PATH = _USERINFO | frozenset(b"@/")
_QUERY = _PATH | frozenset(b"?")
_QUOTED = UNRESERVED | frozenset(b"!#$&'()*+,/:;=?@[]")
_PERCENT = ord("%")

_URL = re.compile(r"(https?)://([^\\/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.IGNORECASE | re.DOTALL)
_HOST_PORT = re.compile(r"(\[[^\]]*\]|[^\[\]:%\x00-\x20\x7f]+)(?::0*([1-9][0-9]{0,4})?)?")
_ZONE = re.compile(r"\[([^%]*)%(?:25)?([A-Za-z0-9._~-]+)\]")
# "labels 63 octets or less"                                               RFC 1035, section 2.3.4
_MAX_LABEL = 63
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


@dataclass(frozen=True, slots=True)
class RequestUrl:
    """Where to connect and what to ask for.

    `host` is a name or an address without brackets, `authority` the value of the Host field, `target` the
    request target in origin-form, `credentials` the user information of the URL, decoded.
    """

    scheme: str
    host: str
    port: int
    authority: str
    target: str
    credentials: tuple[str, str] | None = None


def parse_request_url(url: str | bytes, params: Any = None) -> RequestUrl:
    """Read `url`, append `params` to its query. Raises UsageError for what is no http or https URL."""
    text = (url.decode("utf-8") if isinstance(url, bytes) else str(url)).lstrip()
    matched = _URL.fullmatch(text)
    if matched is None:
        raise UsageError(f"{text!r} is no URL: it begins with http:// or https://")
    scheme = matched[1].lower()
    userinfo, _, host_port = matched[2].rpartition("@")
    host, port = _host_and_port(host_port, text)
    query = "&".join(part for part in (_encode(matched[4] or "", _QUERY), _encoded_params(params)) if part)
    path = _encode(_without_dots(_rooted(matched[3])) or "/", _PATH)
    # requests quotes the URL as a whole: one "%" that begins no escape, in the params or before a zone, makes
    # it escape them all, in credentials and path too.
    quoted = _requote(f"{_encode(userinfo, _USERINFO)}@{host}{path}" + (f"?{query}" if query else ""))
    credentials, _, rest = quoted.partition("@")
    return RequestUrl(
        scheme,
        host.strip("[]"),
        port or DEFAULT_PORTS[scheme],
        _authority(host, port, scheme),
        _target(rest[rest.index("/") :]),
        _credentials(credentials),
    )


def _host_and_port(host_port: str, url: str) -> tuple[str, int | None]:
    matched = _HOST_PORT.fullmatch(host_port)
    if matched is None or host_port.startswith(("*", ".")):
        raise UsageError(f"{url!r} is no URL: {host_port!r} is no host, with or without a port")
    port = int(matched[2]) if matched[2] else None
    if port is not None and port > 65535:
        raise UsageError(f"{url!r} is no URL: there is no port {port}")
    host = matched[1]
    if host.startswith("["):
        return _ipv6(host), port
    name = _ascii_host(host)
    if not all(0 < len(label) <= _MAX_LABEL for label in name.removesuffix(".").split(".")):
        raise UsageError(f"{url!r} is no URL: a label of {name!r} is empty or longer than {_MAX_LABEL} bytes")
    return name, port


def _ipv6(host: str) -> str:
    zone = _ZONE.fullmatch(host)
    address = zone[1] if zone else host.strip("[]")
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        raise UsageError(f"{host!r} is no IPv6 address") from None
    return f"[{address.lower()}%{zone[2]}]" if zone else f"[{address.lower()}]"


def _ascii_host(host: str) -> str:
    if host.isascii():
        return host.lower()
    import idna  # only here: requests brings it along, and few hosts need it

    try:
        labels = [
            label if label.isascii() else idna.encode(label, strict=True, std3_rules=True).decode("ascii")
            for label in host.lower().split(".")
        ]
    except idna.IDNAError as error:
        raise UsageError(f"{host!r} is no host name: {error}") from None
    return ".".join(labels)


def _authority(host: str, port: int | None, scheme: str) -> str:
    """The Host field (RFC 9110, section 7.2): no zone of an address, no final dot, no default port."""
    name = re.sub("%[^]]*", "", host).rstrip(".")
    return name if port in (None, DEFAULT_PORTS[scheme]) else f"{name}:{port}"


def _encoded_params(params: Any) -> str:
    if not params:
        return ""
    if isinstance(params, bytes):
        params = params.decode("ascii")
    return params if isinstance(params, str) else urlencode(params)


def _rooted(path: str) -> str:
    return path if path.startswith("/") else "/" + path


def _without_dots(path: str) -> str:
    """Remove `.` and `..` segments (RFC 3986, section 5.2.4)."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if not kept or kept[0]:
        kept.insert(0, "")
    if path.endswith(("/.", "/..")):
        kept.append("")
    return "/".join(kept)


def _encode(component: str, safe: frozenset[int]) -> str:
    """Percent-encode what is not `safe`; escapes are kept when every `%` begins one, else none is."""
    component, escapes = _ESCAPE.subn(lambda escape: escape[0].upper(), component)
    data = component.encode("utf-8", "surrogatepass")
    return percent_encode(data, safe | {_PERCENT} if escapes == data.count(b"%") else safe)


def _requote(text: str) -> str:
    """Decode the escapes of unreserved octets, encode all that may not stand in a URL."""
    first, *rest = text.split("%")
    decoded = [first]
    for piece in rest:
        digits = piece[:2]
        if len(digits) == 2 and digits.isalnum():
            try:
                octet = int(digits, 16)
            except ValueError:  # an escape that is none: then every "%" stands for itself
                return percent_encode(as_utf8(text), _QUOTED)
            if octet in UNRESERVED:
                decoded.append(chr(octet) + piece[2:])
                continue
        decoded.append("%" + piece)
    return percent_encode(as_utf8("".join(decoded)), _QUOTED | {_PERCENT})


def _target(quoted: str) -> str:
    """Origin-form: the fragment is not sent, `[` and `]` are encoded."""
    path, mark, query = quoted.partition("#")[0].partition("?")
    return _encode(path, _PATH) + (mark + _encode(query, _QUERY) if query else "")


def _credentials(userinfo: str) -> tuple[str, str] | None:
    username, colon, password = userinfo.partition(":")
    if not colon or not (username or password):
        return None
    return _unquote(username), _unquote(password)


def _unquote(text: str) -> str:
    pieces = re.split("%([0-9A-Fa-f]{2})", text)
    data = b"".join(
        bytes([int(piece, 16)]) if position % 2 else piece.encode("ascii")
        for position, piece in enumerate(pieces)
    )
    return data.decode("utf-8", "replace")
