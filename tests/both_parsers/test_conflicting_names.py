"""A plain name beside an extended one (M62): derived from it by a client, or a conflict."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from servers.flask_reading.conflicting_names import names_conflict
from servers.sansio.derived_names import is_derived

_DERIVED = [
    pytest.param("b.txt", "b.txt", id="equal"),
    pytest.param("", "", id="both empty"),
    pytest.param('a%22b"c', 'a"b"c', id="equal after %22"),
    pytest.param("=?utf-8?B?w6kudHh0?=", "\xe9.txt", id="an encoded word: .NET"),
    pytest.param("=?UTF-8?Q?caf=C3=A9_a.txt?=", "caf\xe9 a.txt", id="an encoded word: Spring"),
    pytest.param("=?iso-8859-1?q?=E9?=", "\xe9", id="an encoded word in ISO-8859-1"),
    pytest.param("=?utf-8*en?Q?a?=", "a", id="an encoded word with a language"),
    pytest.param("=?utf-8?Q?=C3=A9?= =?utf-8?B?w6k=?=", "\xe9\xe9", id="two encoded words"),
    pytest.param("=?utf-8?Q??=", "", id="an empty encoded word"),
    pytest.param("caf%C3%A9%20a.txt", "caf\xe9 a.txt", id="percent-encoded: aiohttp 3.7"),
    pytest.param("a%2Fb", "a/b", id="percent-encoded ASCII"),
    pytest.param("caf?.txt", "caf\xe9.txt", id="replaced: HttpClient 5"),
    pytest.param("caf_.txt", "caf\xe9.txt", id="replaced by _"),
    pytest.param("caf--.txt", "caf\xe9.txt", id="replaced by two"),
    pytest.param("caf.txt", "caf\xe9.txt", id="left out"),
    pytest.param("??.txt", "\u4e2d\u6587.txt", id="two replaced"),
    pytest.param("caf\xe9?.txt", "caf\xe9\u4e2d.txt", id="one replaced, one kept"),
    pytest.param("a_1?.txt", "a_1\xe9.txt", id="a _ that replaces nothing"),
    pytest.param("?-1.txt", "\xe9-1.txt", id="a - next to a replaced character"),
    pytest.param("", "\u4e2d", id="all left out"),
    pytest.param('"b.txt"', "b.txt", id="quotes round the plain name"),
    pytest.param("b.txt", '"b.txt"', id="quotes round the extended name: WebApiClientCore"),
    pytest.param("%22b.txt%22", "b.txt", id="escaped quotes round it"),
    pytest.param("=?utf-8?B?5Lit?=", '"\u4e2d"', id="an encoded word, and quotes: WebApiClientCore"),
    pytest.param('"', '"', id="one quote"),
]
_CONFLICTS = [
    pytest.param("a.txt", "b.txt", id="different"),
    pytest.param("A.txt", "a.txt", id="different case"),
    pytest.param("", "a", id="empty and not"),
    pytest.param("a", "", id="not empty and empty"),
    pytest.param("a.txt", "a.txt.exe", id="a beginning"),
    pytest.param("shell.php", "\xe9.txt", id="ASCII beside the replaced character"),
    pytest.param("caf?x.txt", "caf\xe9.txt", id="one character too many"),
    pytest.param("caf\xe8.txt", "caf\xe9.txt", id="another character beyond ASCII"),
    pytest.param("\xe9\xe9", "\xe9?", id="a character twice"),
    pytest.param("\u6587\u4e2d", "\u4e2d\u6587", id="in another order"),
    pytest.param("a_b", "ab", id="a _ that replaces nothing"),
    pytest.param("ab", "a-b", id="a - left out"),
    pytest.param("a_b\u4e2d", "ab\u4e2d", id="a _ far from the replaced character"),
    pytest.param("caf.exe", "caf\xe9", id="another end"),
    pytest.param("x?", "y\xe9", id="another beginning"),
    pytest.param("%ff", "\ufffd", id="percent-encoded and not UTF-8"),
    pytest.param("a%2541", "aA", id="percent-encoded twice"),
    pytest.param("=?utf-8?B?w6kudHh0?=", "e.txt", id="an encoded word of another name"),
    pytest.param("=?utf-16?B?AGE=?=", "a", id="an encoded word in another charset"),
    pytest.param("=?utf-8?B?YQ?=", "a", id="an encoded word without its padding"),
    pytest.param("=?utf-8?B?Y!Q=?=", "a", id="an encoded word that is no base64"),
    pytest.param("=?utf-8?Q?=FF?=", "\ufffd", id="an encoded word that is not UTF-8"),
    pytest.param("=?utf-8?Q?a?=b", "ab", id="an encoded word and more"),
    pytest.param("=?utf-8?X?a?=", "a", id="an unknown encoding"),
    pytest.param('"b', "b", id="a quote on one side"),
]


@pytest.mark.parametrize(("plain", "extended"), _DERIVED)
def test_what_a_client_derives_is_accepted(plain: str, extended: str) -> None:
    assert is_derived(plain, extended)
    assert not names_conflict(plain, extended)


@pytest.mark.parametrize(("plain", "extended"), _CONFLICTS)
def test_other_names_conflict(plain: str, extended: str) -> None:
    assert not is_derived(plain, extended)
    assert names_conflict(plain, extended)


_NAMES = st.text(
    st.sampled_from('aZ1._-?"% \xe9\u4e2d=+') | st.characters(exclude_categories=["Cs"]), max_size=12
)


@given(_NAMES, _NAMES)
@example("=?utf-8?Q?=?=", "=")
@example("=?utf-8?Q?a b?=", "a b")
@example("a-\xe9-b", "a\xe9b")
def test_both_readings_judge_alike(plain: str, extended: str) -> None:
    assert is_derived(plain, extended) is not names_conflict(plain, extended)


@given(_NAMES, st.lists(st.sampled_from(["", "?", "__", "-", None]), min_size=12, max_size=12))
def test_any_replacement_is_accepted(extended: str, replacements: list[str | None]) -> None:
    kept = zip(extended, replacements, strict=False)
    plain = "".join(c if c.isascii() or new is None else new for c, new in kept)
    if "%" not in plain and '"' not in plain:
        assert is_derived(plain, extended)
        assert not names_conflict(plain, extended)
