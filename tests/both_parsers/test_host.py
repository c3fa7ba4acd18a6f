"""Host: uri-host with an optional port (RFC 9112 3.2, RFC 3986 3.2.2; H26 to H28)."""

import ipaddress
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from servers.flask_reading.host import is_host as is_host_of_flask
from servers.sansio.host import is_host as is_host_of_sansio

_BOTH = pytest.mark.parametrize("is_host", [is_host_of_sansio, is_host_of_flask], ids=["sansio", "flask"])
_IsHost = Callable[[str], bool]

_HOSTS = [
    *("localhost", "localhost:8000", "LOCALHOST", "h:", "h:0", "h:65535", "h:00000000000000065535"),
    *("127.0.0.1", "127.0.0.1:1", "999.999.999.999", "0.0.0.0=5000", "a_b", "docker_compose:80"),
    *("a.b.", ".", "-", "~", "a!$&'()*+;=b", "%41", "h%2Fx", "xn--bcher-kva.example"),
    *("[::]", "[::1]", "[::1]:80", "[2001:DB8::1]", "[::ffff:127.0.0.1]", "[1:2:3:4:5:6:7:8]"),
    *("[1:2:3:4:5:6:7::]", "[::2:3:4:5:6:7:8]", "[1:2:3:4:5:6:1.2.3.4]", "[::255.255.255.255]:"),
]
_INVALID = [
    *("", ":", ":80", "a b", " a", "a ", "a/b", "a?b", "a#b", "a/b?c", "u@h", "h:99999", "h:65536"),
    *("h:6553 6", "h:+1", "h:-1", "h:1_0", "h:\u0661", "h:80:80", "h:http", "a,b", "a, b", "\u00e9", "h\n"),
    *("%", "%4", "%zz", "a%", "[", "]", "[]", "[::1", "::1", "[::1]x", "[::1]:x", "[::1] ", "[::1]]"),
    *("[1::2::3]", "[:::]", "[:1]", "[1:]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]", "[12345::]", "[g::]"),
    *("[::1.2.3]", "[::1.2.3.256]", "[::01.2.3.4]", "[1.2.3.4]", "[1.2.3.4::]", "[::1.2.3.4:1]"),
    *(
        "[1:2:3:4:5:6:7:1.2.3.4]",
        "[v1.a]",
        "[fe80::1%eth0]",
        "[fe80::1%25eth0]",
        "[::1%]",
        "[1:2:3:4:5:6:7:8::]",
    ),
    *('"h"', "h\\", "h^", "{h}", "h|", "<h>", "h`", "\x00", "h\x7f"),
]


@_BOTH
@pytest.mark.parametrize("value", _HOSTS)
def test_a_host(is_host: _IsHost, value: str) -> None:
    assert is_host(value)


@_BOTH
@pytest.mark.parametrize("value", _INVALID)
def test_not_a_host(is_host: _IsHost, value: str) -> None:
    assert not is_host(value)


@_BOTH
def test_the_largest_port_is_65535(is_host: _IsHost) -> None:
    assert [is_host(f"h:{port}") for port in range(65530, 65542)] == [True] * 6 + [False] * 6


@_BOTH
def test_a_port_with_many_digits(is_host: _IsHost) -> None:
    assert not is_host("h:" + "9" * 8000)
    assert is_host("h:" + "0" * 8000)


_GROUPS = st.lists(
    st.sampled_from(["", "0", "1", "ffff", "FFFF", "0001", "12345", "g", "1.2.3.4", "1.2.3.256"])
)


@given(st.one_of(st.text("0123456789abcdefF:.", max_size=40), _GROUPS.map(":".join)))
@example("1::2::3")
@example("::1.02.3.4")
@example("1:2:3:4:5:6:7::")
def test_ipaddress_accepts_the_same_ipv6_addresses(address: str) -> None:
    """`ipaddress` has the same grammar, and zone ids, which need a percent sign."""
    try:
        expected = ipaddress.IPv6Address(address) is not None
    except ValueError:
        expected = False
    for is_host in (is_host_of_sansio, is_host_of_flask):
        assert is_host(f"[{address}]") == expected
