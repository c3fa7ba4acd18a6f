"""From a URL and its params to the address to connect to, the Host field and the request target.

The result is that of requests and urllib3 to the byte, so their own functions normalise and quote the URL.
They would send some URLs that are not valid; these are refused here.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from requests.utils import requote_uri
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from .encode import as_utf8, urlencode
from .errors import UsageError

DEFAULT_PORTS = {"http": 80, "https": 443}

# sub-delims, pchar, query                                                 RFC 3986, sections 2.2, 3.3 and 3.4
_PATH = "!$&'()*+,;=:@/"
_QUERY = _PATH + "?"
_URL = re.compile(r"https?://([^\\/?#]*)", re.IGNORECASE)
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
    """Read `url` and append `params` to its query. Raises UsageError for what is not an http or https URL."""
    text = (url.decode("utf-8") if isinstance(url, bytes) else str(url)).lstrip()
    matched = _URL.match(text)
    if matched is None:
        raise UsageError(f"{text!r} is not a valid URL: it has to begin with http:// or https://")
    try:
        parsed = parse_url(text)
    except LocationParseError:
        parsed = None
    if parsed is None or not _is_host(matched[1].rpartition("@")[2], parsed.host):
        raise UsageError(f"{text!r} is not a valid URL: {matched[1]!r} is not a host with an optional port")
    scheme, host, port = parsed.scheme or "", parsed.host or "", parsed.port or None
    query = "&".join(part for part in (parsed.query, _encoded_params(params)) if part)
    # requests quotes the URL as a whole. One "%" that does not begin an escape, in the params or before a
    # zone, makes it escape every "%", in credentials and path too.
    as_utf8(query)
    quoted = requote_uri(f"{parsed.auth or ''}@{host}{parsed.path or '/'}" + (f"?{query}" if query else ""))
    credentials, _, rest = quoted.partition("@")
    return RequestUrl(
        scheme,
        host.strip("[]"),
        port or DEFAULT_PORTS[scheme],
        _authority(host, port, scheme),
        _target(rest[rest.index("/") :]),
        _credentials(credentials),
    )


def server_address(url: str) -> tuple[str, int]:
    """Host and port of `http://HOST[:PORT]`. Raises UsageError for any other URL."""
    expected = UsageError(f"{url}: expected http://HOST:PORT")
    if not url.lower().startswith("http://"):
        raise expected
    parsed = parse_request_url(url)
    if parsed.target != "/" or parsed.credentials or urlsplit(url).port == 0:
        raise expected
    return parsed.host, parsed.port


def _is_host(given: str, host: str | None) -> bool:
    """Whether a server could have this name or address. urllib3 would decode escapes in the `given` host."""
    if not host or given.startswith("["):
        return bool(host)
    labels = host.removesuffix(".").split(".")
    return not re.search("^[*]|%", given) and all(0 < len(label) <= _MAX_LABEL for label in labels)


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


def _target(quoted: str) -> str:
    """Origin-form: the fragment is not sent, `[` and `]` are encoded."""
    path, mark, query = quoted.partition("#")[0].partition("?")
    return _encode(path, _PATH) + (mark + _encode(query, _QUERY) if query else "")


def _encode(component: str, safe: str) -> str:
    """Percent-encode what is not `safe`; escapes are kept when every `%` begins one, otherwise none is."""
    component, escapes = _ESCAPE.subn(lambda escape: escape[0].upper(), component)
    return quote(component, safe + "%" if escapes == component.count("%") else safe)


def _credentials(userinfo: str) -> tuple[str, str] | None:
    username, colon, password = userinfo.partition(":")
    if not colon or not (username or password):
        return None
    return unquote(username), unquote(password)
