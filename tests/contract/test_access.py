"""Access rules: Host, Origin, Sec-Fetch-Site, token and method (contract section 8; H172, H173)."""

import itertools

import pytest

from servers.contract.access import AccessRules
from servers.contract.problems import Problem
from servers.contract.request import BasicCredentials, OtherCredentials, RequestHead
from servers.contract.tokens import Token
from tests.contract.heads import head

_RULES = AccessRules(
    frozenset({"localhost", "127.0.0.1", "[::1]", "box.local"}), (Token.of("token", "full", "secret"),)
)
_TOKEN = OtherCredentials("bearer", "secret")
_HOSTS = [
    "localhost:8000",
    "LocalHost",
    "127.0.0.1",
    "[::1]:80",
    "box.local:1",
    "evil.example",
    "localhost.evil",
    None,
]
_OURS = {"localhost:8000", "LocalHost", "127.0.0.1", "[::1]:80", "box.local:1"}
_METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]


def _code_of(
    request_head: RequestHead, rules: AccessRules = _RULES, *, private: bool = False, open_route: bool = False
) -> str | None:
    """The code of the refusal, or None."""
    try:
        rules.check_access(request_head, private=private, needs_token=not open_route)
    except Problem as problem:
        return problem.code
    return None


def _expected(
    host: str | None, origin: str | None, site: str | None, method: str, private: bool
) -> str | None:
    """What the contract requires, written independently of the code under test."""
    browser = origin is not None or site is not None
    if (browser or private) and host not in _OURS:
        return "misdirected_host"
    if method in ("GET", "HEAD", "OPTIONS"):
        return None
    if site is not None:
        return None if site in ("same-origin", "none") else "forbidden_origin"
    if origin is None or origin in (f"http://{host}", f"https://{host}"):
        return None
    return "forbidden_origin"


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("host", _HOSTS)
def test_every_combination_of_host_origin_site_and_method(host: str | None, private: bool) -> None:
    origins = [
        None,
        f"http://{host}",
        f"https://{host}",
        "http://evil.example",
        "null",
        f"http://{host}.evil",
        "",
    ]
    sites = [None, "same-origin", "none", "same-site", "cross-site", ""]
    for origin, site, method in itertools.product(origins, sites, _METHODS):
        fields = {"origin": origin, "sec-fetch-site": site}
        given = {name: value for name, value in fields.items() if value is not None}
        request_head = head(method, host=host, auth=_TOKEN, fields=given)
        expected = _expected(host, origin, site, method, private)
        assert _code_of(request_head, private=private) == expected, (origin, site, method)


@pytest.mark.parametrize("site", ["Same-Origin", "NONE"])
def test_fetch_metadata_is_compared_without_case(site: str) -> None:
    assert _code_of(head(auth=_TOKEN, fields={"sec-fetch-site": site})) is None


def test_an_origin_with_another_port_is_another_origin() -> None:
    assert (
        _code_of(head(host="localhost:8000", auth=_TOKEN, fields={"origin": "http://localhost:8001"}))
        == "forbidden_origin"
    )
    assert (
        _code_of(head(host="localhost:8000", auth=_TOKEN, fields={"origin": "http://localhost"}))
        == "forbidden_origin"
    )
    assert (
        _code_of(head(host="localhost:8000", auth=_TOKEN, fields={"origin": "HTTP://LOCALHOST:8000"})) is None
    )


def test_a_script_may_send_any_host_except_on_private_routes() -> None:
    assert _code_of(head(host="anything.example", auth=_TOKEN)) is None
    assert _code_of(head(host="anything.example", auth=_TOKEN), private=True) == "misdirected_host"


def test_an_https_target_is_misdirected_whatever_the_host() -> None:
    """R2."""
    assert _code_of(head(https_target=True, auth=_TOKEN)) == "misdirected_host"


@pytest.mark.parametrize(
    ("local", "host", "ours"),
    [
        ("192.168.0.7", "192.168.0.7:8000", True),
        ("192.168.0.7", "192.168.0.7", True),
        ("192.168.0.7", "192.168.0.70", False),
        ("192.168.0.7", "192.168.0.7.evil.example", False),
        ("::ffff:192.168.0.7", "192.168.0.7", True),
        ("fd00::7", "[FD00::7]:8000", True),
        ("fd00::7", "[fd00::8]", False),
        ("fe80::7%eth0", "[fe80::7]", True),
        ("192.168.0.7", "evil.example", False),
        ("192.168.0.7", "", False),
        ("192.168.0.7", None, False),
        ("192.168.0.7", "localhost", True),
        ("evil.example", "evil.example", False),  # a host of the application took a name for the address
        ("/run/socket", "/run/socket", False),
    ],
)
def test_the_address_that_a_connection_arrived_at_is_ours(local: str, host: str | None, ours: bool) -> None:
    """H172: an attacker's name may stand for this address, so no name is ours because of it."""
    rules = AccessRules(local_address=local)
    expected = None if ours else "misdirected_host"
    assert _code_of(head("GET", host=host), rules, private=True) == expected
    browser = {"sec-fetch-site": "same-origin"}
    assert _code_of(head(host=host, fields=browser), rules) == expected
    other = {"origin": "http://evil.example"}
    assert _code_of(head(host=host, fields=other), rules) == ("forbidden_origin" if ours else expected)


def test_a_421_says_how_to_add_a_name() -> None:
    with pytest.raises(Problem) as raised:
        AccessRules().check_access(head("GET", host="box\xe4:80"), private=True, needs_token=False)
    assert raised.value.detail == (
        r"'box\xe4:80' is not a name of this server; --hosts or WIREPROOF_HOSTS adds names"
    )


@pytest.mark.parametrize(
    ("auth", "passes"),
    [
        (None, False),
        (_TOKEN, True),
        (OtherCredentials("bearer", "Secret"), False),
        (OtherCredentials("bearer", "secret "), False),
        (OtherCredentials("bearer", ""), False),
        (OtherCredentials("bearer", "secret\ud800"), False),
        (OtherCredentials("digest", "secret"), False),
        (OtherCredentials("basic", "secret"), False),
        (BasicCredentials("anybody", "secret"), True),
        (BasicCredentials("", "secret"), True),
        (BasicCredentials("secret", ""), False),
        (BasicCredentials("secret", "secreT"), False),
    ],
)
@pytest.mark.parametrize("method", _METHODS)
def test_the_token_is_a_bearer_token_or_a_basic_password(
    auth: BasicCredentials | OtherCredentials | None, passes: bool, method: str
) -> None:
    assert _code_of(head(method, auth=auth)) == (None if passes else "token_required")
    assert _code_of(head(method, auth=auth), open_route=True) is None, "an open route requires no token"
    assert _code_of(head(method, auth=auth), AccessRules()) is None, "a server without a token requires none"


def test_a_401_says_how_to_authenticate() -> None:
    with pytest.raises(Problem) as raised:
        _RULES.check_access(head(), private=False, needs_token=True)
    (name, challenge), *more = raised.value.headers
    assert (name, more) == ("WWW-Authenticate", [])
    assert "Bearer" in challenge
    assert "Basic" in challenge
    assert "secret" not in str(raised.value)


def test_the_order_of_the_refusals() -> None:
    """421, then 403, then 401: the order is part of the contract."""
    assert _code_of(head(host="evil", fields={"origin": "http://other"})) == "misdirected_host"
    assert _code_of(head(host="localhost", fields={"origin": "http://other"})) == "forbidden_origin"
    assert _code_of(head(host="localhost", fields={"origin": "http://localhost"})) == "token_required"


def test_only_loopback_names_are_allowed_by_default() -> None:
    allowed = [
        host for host in _HOSTS if _code_of(head("GET", host=host), AccessRules(), private=True) is None
    ]
    assert allowed == ["localhost:8000", "LocalHost", "127.0.0.1", "[::1]:80"]
