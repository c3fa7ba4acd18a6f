"""Productions of Cookie and Authorization (RFC 6265, RFC 7617): rules K and A.

Every line made here must be accepted.
"""

from base64 import b64encode

from . import limit_grammar
from .draft import Draft, Production, Rng, valid

COOKIES = (
    valid("K1", b"a=1; b=2", b"a=1;b=2", b";;; a=1;;", b"@w=@w; @w=@n;"),
    valid("K2", b"a=1, b=2", b"@w=@w,@w=@w"),
    valid("K3", b'a="1 2"', b'@w="@w"'),
    valid("K4", b'a="1;2"', b'@w="a; @w="b"'),
    valid("K5", b'a="x\\"y\\073"', b"a=\\\\@w"),
    valid("K6", b'a="1; b=2', b'a=1"2"', b"a=1 2 3", b'a={"x":1}'),
    valid("K7", b"a=1; a=2; a=1", b"@w=1; @w=1; @w=1"),
    valid("K8", b"a", b"=v", b"=", b"@w; =@w; a=1"),
    valid("K9", b"a = 1 ;\tb\t=\t2", b" @w =@S@w@S; @S"),
    valid("K10", b"a=b=c", b"a=%C3+\\", b"@w==@w=%41"),
    valid("K11", b"a=\xc3\xa9", b"\xe9=\xff; a=1"),
    valid("K12", b"a b=1; (c)=2", b"@@=[@w]; a/b=1"),
    valid("K10", b"@v", b"@v=@v; @v", b"a=@v;@v=b"),
    valid("K13", b"$Version=1; a=@n", b"$Path=/; $Version=1"),
)


def _basic(credentials: bytes) -> bytes:
    return b"Basic " + b64encode(credentials)


CREDENTIALS = (
    valid("A1", b"Basic dTpw", b"basic dTpw", b"BASIC dTpw"),
    valid("A2", b"Basic   dTpw", b"Bearer  @w"),
    valid("A3", b"Basic\tdTpw", b"Bearer\t@w"),
    valid("A4", _basic(b"user"), _basic(b"x")),
    valid("A5", _basic(b"u:p:q"), _basic(b"a::")),
    valid("A6", _basic(b":p"), _basic(b"u:"), _basic(b":")),
    valid("A7", b"Basic", b"Basic "),
    valid("A8", b"Basic !!!", b"Basic dTp", b"Basic dT pw", b"Basic dTpw x", b"Basic dTpw@w"),
    valid("A9", b"Basic dTpw=", b"Basic dTo=", b"Basic dTp=", b"Basic dTpx=="),
    valid("A10", _basic("é:文".encode()), _basic(b"\xe9:\xff"), _basic(b"u:\xc3")),
    valid("A11", _basic(b"u\x00:p"), _basic(b"u:\r\n"), _basic(b"\x7f:p")),
    valid("A12", b"Basic dTpw,Basic dTpw", b"Basic dTpw, Bearer x", b"a, b"),
    valid("A13", b"Basic \xe9", b"Basic dTp\xff", b"Bearer \xc3\xa9"),
    valid("A14", b"Bearer a.b.c", b'Digest username="u", realm="r"', b"@w @w=@n,@w"),
    valid("A8", b"Basic @v", b"Basic dT@vpw", b"@v@v", b"@w @v"),
    *limit_grammar.CREDENTIALS,
    valid("A15", b"dTpw", b"@w"),
)


def place_cookie(draft: Draft, rng: Rng, production: Production) -> None:
    """One Cookie line."""
    draft.lines.append(b"Cookie: " + draft.use(production, rng))


def place_credentials(draft: Draft, rng: Rng, production: Production) -> None:
    """One Authorization line."""
    draft.lines.append(b"Authorization: " + draft.use(production, rng))
