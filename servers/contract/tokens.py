"""Tokens: their names, and what each of them allows (contract section 8)."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
ALLOWS = {
    "full": "everything",
    "upload": "only uploads: /upload/ and /resumable/",
    "read": "only GET, HEAD and OPTIONS",
}
"""Each scope with what it allows, as the detail of a 403 says it."""

SINGLE = "token"
"""The name of the token that the setting `token` has."""

MAX_TOKENS = 100
_LEAST_LENGTH = 16
_LEAST_DIFFERENT = 5
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_VISIBLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Token:
    """A token by its hash, so that nothing that shows the object shows the token."""

    name: str
    scope: str
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, name: str, scope: str, secret: str) -> "Token":
        """The token `secret`. `scope` is a key of `ALLOWS`."""
        return cls(name, scope, digest_of(secret))

    def allows(self, method: str, *, uploads: bool) -> bool:
        """Whether it allows this method on a route; `uploads` says whether the route takes uploads."""
        if self.scope == "read":
            return method in SAFE_METHODS
        return uploads or self.scope == "full"


def digest_of(secret: str) -> bytes:
    """The hash by which tokens are compared. All hashes are equally long."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def read_tokens(text: str) -> tuple[Token, ...]:
    """The tokens in lines `NAME SCOPE TOKEN`. Empty lines, and lines that begin with `#`, are skipped.

    Raises ValueError. Its message names the line and never has a token in it.
    """
    tokens: list[Token] = []
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split()
        if words and not words[0].startswith("#"):
            try:
                tokens.append(_token_in(words, tokens))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
    if not tokens:
        raise ValueError("it has no token, so that nobody could be let in")
    if len(tokens) > MAX_TOKENS:
        raise ValueError(f"it has {len(tokens)} tokens, at most {MAX_TOKENS} are allowed")
    return tuple(tokens)


def _token_in(words: list[str], before: Iterable[Token]) -> Token:
    if len(words) != 3:
        raise ValueError(f"a line is NAME SCOPE TOKEN, but this one has {len(words)} words")
    name, scope, secret = words
    # A line whose words are in another order has its token here: only what is a name is shown.
    if not _NAME.fullmatch(name):
        raise ValueError("the name, its first word, is of letters, digits, '.', '_' and '-', at most 32")
    if name == SINGLE:
        raise ValueError(f"the name {SINGLE!r} is that of the single token (--token)")
    if scope not in ALLOWS:
        raise ValueError(f"the scope, its second word, is one of {', '.join(ALLOWS)}")
    if not _VISIBLE.fullmatch(secret):
        raise ValueError("the token has characters other than visible ASCII: no client could send it")
    if len(secret) < _LEAST_LENGTH or len(set(secret)) < _LEAST_DIFFERENT:
        raise ValueError(
            f"the token is too easy to guess: it needs {_LEAST_LENGTH} characters,"
            f" {_LEAST_DIFFERENT} of them different; openssl rand -hex 16 makes one"
        )
    token = Token.of(name, scope, secret)
    for other in before:
        if other.name == name:
            raise ValueError(f"the name {name!r} is there twice")
        if other.digest == token.digest:
            raise ValueError(f"the token is that of {other.name!r} too")
    return token
