"""The fields of RFC 9530, read by both sides; rules D3 to D8."""

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from servers.contract.parsers import Parsers
from servers.contract.problems import Problem
from tests.parsers import ALL_PARSERS, BOTH_PARSERS

_A = base64.b64encode(b"a" * 32).decode()


@BOTH_PARSERS
@pytest.mark.parametrize(
    ("value", "digests"),
    [
        pytest.param("", {}, id="D8"),
        pytest.param("  ", {}, id="D8: blanks"),
        pytest.param(f"sha-256=:{_A}:", {"sha-256": b"a" * 32}, id="D3"),
        pytest.param("*=:YQ==:, a_-.*1=:YQ==:", {"*": b"a", "a_-.*1": b"a"}, id="D3: all kinds of names"),
        pytest.param("a=:YQ==:\t,\t b=:YWI=:", {"a": b"a", "b": b"ab"}, id="D3: blanks round a comma"),
        pytest.param("a=:YQ==:,a=:Yg==:", {"a": b"b"}, id="D5: repeated"),
        pytest.param(
            r'a=:YQ==:;x;y=1;z=-1.125;s="a, b=:YQ:\"\\";t=*a/b:c;b=?0;c=:YQ:, b=:Yg==:',
            {"a": b"a", "b": b"b"},
            id="D5: parameters",
        ),
        pytest.param("a=:YQ:,b=:YWI:,c=:YWJj:,d=::", {"a": b"a", "b": b"ab", "c": b"abc", "d": b""}, id="D6"),
        pytest.param("a=:YR==:", {"a": b"a"}, id="D6: bits behind the end"),
    ],
)
def test_a_dictionary_of_byte_sequences(parsers: Parsers, value: str, digests: dict[str, bytes]) -> None:
    assert parsers.digests(value, "content-digest") == digests


_MALFORMED = [
    *(
        "a",
        "a;b",
        "a=",
        "a=1",
        "a=1.5",
        "a=?1",
        'a="YQ=="',
        "a=YQ==",
        "a=(:YQ==:)",
        "a=@1",
        "a=:YQ==",
        "a=YQ==:",
    ),
    *("A=:YQ==:", "1=:YQ==:", "-a=:YQ==:", "=:YQ==:", "a =:YQ==:", "a= :YQ==:", "a=:YQ==: b=:YQ==:"),
    *(
        "a=:YQ==:,",
        ",a=:YQ==:",
        "a=:YQ==:,,b=:YQ==:",
        ",",
        "a=:YQ==:;",
        "a=:YQ==:;=1",
        "a=:YQ==:;A",
        "a=:YQ==: ;b",
    ),
    *(
        "a=:YQ==:;\tb",
        "a=:YQ==:x",
        "a=:Y:",
        "a=:YQ=:",
        "a=:YQ===:",
        "a=:YWI==:",
        "a=:YWJj=:",
        "a=:=:",
        "a=:====:",
    ),
    *(
        "a=:Y=Q=:",
        "a=:YQ-_:",
        "a=: YQ==:",
        "a=:YQ==:;b=",
        "a=:YQ==:;b=?2",
        'a=:YQ==:;b="',
        'a=:YQ==:;b="\\a"',
    ),
    *("a=:YQ==:;b=1.", "a=:YQ==:;b=1.1234", "a=:YQ==:;b=1234567890123.1", "a=:YQ==:;b=-", "a=:YQ==:;b=1.2.3"),
    *("a=:YQ==:;b=1234567890123456", "a=:YQ==:;b=:Y:", "a=:YQ==:;b=:YQ=:", "a=:YQ==:;b=\x80", "a=:YQ==:\xa0"),
    *('a=:YQ==:;b="\x7f"', "a=:YQ==:;b=@1", "a=:YQ==:;b=()", "\ta=:YQ==:\x0b", "a=:\u0660Q==:"),
]


@BOTH_PARSERS
@pytest.mark.parametrize("value", _MALFORMED)
def test_d3_what_is_no_such_dictionary_is_refused(parsers: Parsers, value: str) -> None:
    with pytest.raises(Problem, match="repr-digest") as caught:
        parsers.digests(value, "repr-digest")
    assert (caught.value.code, caught.value.rule, caught.value.field) == (
        "digest_syntax",
        "D3",
        "repr-digest",
    )


@BOTH_PARSERS
@pytest.mark.parametrize(
    ("value", "weights"),
    [
        ("", {}),
        ("sha-256=1, sha-512=10", {"sha-256": 1, "sha-512": 10}),
        ("a=0,a=5;q=1", {"a": 5}),
        ("a=000000000000010", {"a": 10}),
        *(
            (malformed, None)
            for malformed in ("a", "a=11", "a=-1", "a=1.0", "a=1,", "a=:YQ==:", "A=1", "a=1 b=2")
        ),
        ("a=0000000000000010", None),
        ("a=99999999999999999999", None),
    ],
)
def test_d7_weights_are_integers_from_0_to_10(
    parsers: Parsers, value: str, weights: dict[str, int] | None
) -> None:
    assert parsers.digest_weights(value) == weights


_PIECES = st.sampled_from(
    [
        *(
            "a",
            "sha-256",
            "=",
            ":",
            ",",
            ";",
            " ",
            "\t",
            '"',
            "\\",
            "?",
            "0",
            "1",
            "10",
            ".",
            "-",
            "*",
            "A",
            "==",
        ),
        "YQ",
        "\xe4",
    ]
)
_VALUES = st.one_of(
    st.lists(_PIECES, max_size=14).map("".join),
    st.lists(
        st.tuples(
            st.sampled_from(["a=:YQ==:", "b=:YWI:", "a=3", "a=:", "a"]),
            st.sampled_from(["", ";x", ";x=1", ';x="', ";x=:YQ=:", " "]),
            st.sampled_from(["", ",", ", ", ",,"]),
        ).map("".join),
        max_size=4,
    ).map("".join),
    st.text(st.characters(max_codepoint=0xFF), max_size=8).map(lambda text: f"a=:YQ==:;b={text}"),
)


def _outcome(parsers: Parsers, value: str) -> object:
    try:
        digests: object = parsers.digests(value, "content-digest")
    except Problem as problem:
        digests = (problem.code, problem.rule)
    return digests, parsers.digest_weights(value)


@given(_VALUES)
@example("a=:YQ==:;b=1.2;c")
def test_both_sides_read_any_value_alike(value: str) -> None:
    first, second = (_outcome(parsers, value) for parsers in ALL_PARSERS.values())
    assert first == second
