"""The setting `peers`: which texts name servers, and what the message says for the others."""

import pytest

from servers.contract.peers import Address, Peer, read_peers


def test_names_and_urls_become_peers_in_their_order() -> None:
    peers = read_peers(" b = http://127.0.0.1:8000 ,a.b-c_1=http://localhost/,, six=http://[::1]:65535,")
    assert peers == (
        Peer("b", Address("127.0.0.1", 8000)),
        Peer("a.b-c_1", Address("localhost", 80)),
        Peer("six", Address("::1", 65535)),
    )
    assert [peer.url for peer in peers] == [
        "http://127.0.0.1:8000",
        "http://localhost:80",
        "http://[::1]:65535",
    ]
    assert read_peers("") == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://127.0.0.1:1", "is NAME=URL,NAME=URL, names of letters"),
        ("=http://127.0.0.1:1", "is NAME=URL,NAME=URL, names of letters"),
        ("a b=http://127.0.0.1:1", "is NAME=URL,NAME=URL, names of letters"),
        ("a=http://h,a=http://i", "has the name 'a' twice"),
        ("a=https://127.0.0.1:1", "has URLs http://HOST:PORT without user and path, not"),
        ("a=http://u@127.0.0.1:1", "has URLs http://HOST:PORT without user and path, not"),
        ("a=http://127.0.0.1:1/x", "has URLs http://HOST:PORT without user and path, not"),
        ("a=http://127.0.0.1:1?x", "has URLs http://HOST:PORT without user and path, not"),
        ("a=http://", "has URLs http://HOST:PORT without user and path, not"),
        ("a=http://h:0", "has ports from 1 to 65535, not 0"),
        ("a=http://h:65536", "has ports from 1 to 65535, not 65536"),
        ("a=http://[1:2]:80", "has URLs http://HOST:PORT, and '1:2' is no address of IPv6"),
        (",".join(f"p{n}=http://h:{n + 1}" for n in range(9)), "has 9 servers, at most 8"),
    ],
)
def test_a_text_that_cannot_be_used_says_why(text: str, says: str) -> None:
    with pytest.raises(ValueError) as raised:
        read_peers(text)
    assert str(raised.value).startswith(says)
