"""Named tokens: the lines of their file, and what each scope allows (contract section 8)."""

import itertools

import pytest

from servers.contract.tokens import MAX_TOKENS, Token, digest_of, read_tokens

_SECRET = "0123456789abcdef"
_OTHER = "fedcba9876543210"


def test_a_line_is_a_name_a_scope_and_a_token() -> None:
    text = f"""
# tokens of the build machines
ci-2  upload   {_SECRET}
\tback.up_1 read\t{_OTHER}\r
   # indented, and \udcff in a comment
admin full #!$%&'()*+,-./:;<=>?@[]^_`|~
"""
    assert read_tokens(text) == (
        Token.of("ci-2", "upload", _SECRET),
        Token.of("back.up_1", "read", _OTHER),
        Token.of("admin", "full", "#!$%&'()*+,-./:;<=>?@[]^_`|~"),
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ci", "a line is NAME SCOPE TOKEN, but this one has 1 words"),
        ("ci upload", "has 2 words"),
        (f"ci upload {_OTHER} more", "has 4 words"),
        (f"-ci upload {_OTHER}", "the name, its first word"),
        (f"c:i upload {_OTHER}", "the name, its first word"),
        (f"{'n' * 33} upload {_OTHER}", "the name, its first word"),
        (f"n\u00e4me upload {_OTHER}", "the name, its first word"),
        (f"token upload {_OTHER}", "the name 'token' is that of the single token"),
        (f"ci Upload {_OTHER}", "is one of full, upload, read"),
        (f"ci upload,read {_OTHER}", "is one of full, upload, read"),
        (f"ci {_OTHER} upload", "is one of full, upload, read"),
        (f"{_OTHER} upload ci", "too easy to guess"),
        ("ci upload 0123456789abcde", "too easy to guess: it needs 16 characters, 5 of them different"),
        ("ci upload aaaaaaaabbbbbbbbccccccccdddddddd", "too easy to guess"),
        ("ci upload 0123456789abcd\u00e9f", "other than visible ASCII"),
        ("ci upload 0123456789abcd\udcfff", "other than visible ASCII"),
        ("ci upload 0123456789abcd\x00f", "other than visible ASCII"),
        (f"first upload {_OTHER}", "the name 'first' is there twice"),
        (f"second read {_SECRET}", "the token is that of 'first' too"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_its_token_is_not_shown(line: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"^line 3: ") as raised:
        read_tokens(f"first read {_SECRET}\n\n{line}\n")
    assert says in str(raised.value)
    assert _SECRET not in str(raised.value)
    assert _OTHER not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("text", ["", "\n\n", "# ci upload 0123456789abcdef\n"])
def test_a_file_without_a_token_is_refused(text: str) -> None:
    """Without tokens everybody would be let in."""
    with pytest.raises(ValueError, match="it has no token"):
        read_tokens(text)


def test_the_number_of_tokens_is_bounded_because_each_request_is_compared_with_all() -> None:
    lines = [f"n{number} read {_SECRET}{number}" for number in range(MAX_TOKENS + 1)]
    assert len(read_tokens("\n".join(lines[:-1]))) == MAX_TOKENS
    with pytest.raises(ValueError, match="it has 101 tokens, at most 100 are allowed"):
        read_tokens("\n".join(lines))


def test_nothing_that_shows_a_token_object_shows_the_token_or_its_hash() -> None:
    token = Token.of("ci", "read", _SECRET)
    assert repr(token) == str(token) == "Token(name='ci', scope='read')"
    assert token.digest == digest_of(_SECRET)


def test_what_each_scope_allows() -> None:
    methods = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
    allowed = {
        (scope, method, uploads)
        for scope, method, uploads in itertools.product(("full", "upload", "read"), methods, (False, True))
        if Token.of("ci", scope, _SECRET).allows(method, uploads=uploads)
    }
    assert allowed == {
        *(("full", method, uploads) for method in methods for uploads in (False, True)),
        *(("upload", method, True) for method in methods),
        *(("read", method, uploads) for method in methods[:3] for uploads in (False, True)),
    }
