"""The readings agree on the kept inputs, and the search finds what is planted."""

import signal
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from . import __main__, corpus, engine, findings
from .coverage import reached
from .engine import EngineError, search
from .targets import TARGETS, Disagreement, Raised, Results, Target, kind_of

EACH_TARGET = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
NEEDS_ATHERIS = pytest.mark.skipif(
    find_spec("atheris") is None, reason="guided fuzzing is NOT tested: pip install 'wireproof[guided]'"
)
_HEAD = b"00GET / HTTP/1.1\r\nHost: h\r\n\r\n"
_BODY = b'00--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nv\r\n--b--'
_CHUNKS = b"003\r\nabc\r\n0\r\n\r\n"


@EACH_TARGET
def test_the_readings_agree_on_every_input_that_is_kept(target: Target) -> None:
    inputs = corpus.load(target)
    kinds = {kind_of(outcome) for data in inputs for outcome in target.outcomes(data)}
    assert len(inputs) >= 50
    assert "accepted" in kinds
    assert len(kinds) > 2


@EACH_TARGET
def test_a_corpus_is_written_as_it_is_read(target: Target, tmp_path: Path) -> None:
    inputs = corpus.load(target)
    corpus.save(target, [*inputs, *inputs], tmp_path)
    assert corpus.file_of(target, tmp_path).read_bytes() == corpus.file_of(target).read_bytes()
    assert max(map(len, inputs)) <= corpus.LONGEST


def test_any_octet_can_be_kept_in_a_line() -> None:
    for data in (bytes(range(256)), b"", b" ", b"a  ", b"\\", b"\\x20", b"\\\n"):
        line = corpus.escaped(data)
        assert corpus.unescaped(line) == data
        assert line == line.rstrip()
        assert line.isascii()
        assert line.isprintable()


def test_only_inputs_that_reach_something_new_are_kept() -> None:
    target = TARGETS["chunks"]
    long = b"003\r\nabc\r\n0\r\nX: " + b"y" * corpus.LONGEST + b"\r\n\r\n"
    assert corpus.minimised(target, [_CHUNKS], [_CHUNKS.replace(b"abc", b"xyz"), long]) == [_CHUNKS]
    refused = b"00g\r\n"
    assert corpus.minimised(target, [_CHUNKS], [refused]) == [_CHUNKS, refused]
    assert "bad_chunk" in (reached(target, refused) or ())


def _differ(data: bytes) -> Iterator[Results]:
    yield {"one": len(data), "other": len(data)}
    yield {"one": b"xy" in data, "other": b"xy" in data and b"z" not in data}


def _raise(data: bytes) -> Iterator[Results]:
    yield {"one": Raised("ValueError"), "other": Raised("ValueError")}


def test_a_finding_is_made_small_and_saved(tmp_path: Path) -> None:
    target = Target("differs", _differ, ())
    assert target.outcomes(b"01abxycd") == [8, 8]
    finding = findings.smallest(target, b"01abzabxycd\r\n" * 9)
    assert sorted(finding.data) == sorted(b"01zxy")
    saved = finding.save(tmp_path / "new", "7")
    assert findings.load(saved) == finding.data
    assert "one: True\n  other: False" in saved.read_text("utf-8")


def test_an_exception_in_both_readings_is_a_finding() -> None:
    with pytest.raises(Disagreement, match="ValueError"):
        Target("raises", _raise, ()).outcomes(b"00")


def test_without_the_engine_the_command_says_that_nothing_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(__main__, "find_spec", lambda name: None)
    result = CliRunner().invoke(__main__.main, ["--seconds", "1"])
    assert result.exit_code == 2
    assert "did NOT run" in result.output


@pytest.mark.parametrize("finds", [True, False])
def test_an_engine_that_dies_loses_no_finding(monkeypatch: pytest.MonkeyPatch, finds: bool) -> None:
    def dies(target: str, bug: str, arguments: Sequence[str], seconds: int) -> tuple[int, str]:
        if finds:
            (prefix,) = (one for one in arguments if one.startswith("-artifact_prefix="))
            Path(prefix.partition("=")[2] + "crash-1").write_bytes(b"a finding")
        return -signal.SIGSEGV, "its last words"

    monkeypatch.setattr(engine, "_run", dies)
    if finds:
        result = search(TARGETS["chunks"], [], seconds=1, seed=1)
        assert (result.failed, result.failed_as, result.executions) == (b"a finding", "crash", 0)
    else:
        with pytest.raises(EngineError, match="exit status -11: its last words"):
            search(TARGETS["chunks"], [], seconds=1, seed=1)


@NEEDS_ATHERIS
@pytest.mark.soak(seconds=60)
@pytest.mark.timeout(660)
@pytest.mark.parametrize(
    ("name", "bug", "begin"),
    [
        ("heads", "percent-is-decoded-twice", None),
        ("heads", "method-is-put-into-upper-case", _HEAD),
        ("heads", "encoded-slash-is-decoded", _HEAD),
        ("chunks", "chunk-size-is-what-int-takes", _CHUNKS),
        ("chunks", "any-field-may-be-a-trailer", _CHUNKS),
        ("multipart", "epilogue-may-hold-anything", _BODY),
        ("multipart", "delimiter-may-follow-a-bare-lf", _BODY),
    ],
)
def test_the_search_finds_a_planted_bug(name: str, bug: str, begin: bytes | None) -> None:
    """It begins with one valid input, or with the corpus, which does not show this bug."""
    target = TARGETS[name]
    inputs = corpus.load(target) if begin is None else [begin]
    assert any(kind_of(outcome) == "accepted" for data in inputs for outcome in target.outcomes(data))
    result = search(target, inputs, seconds=600, seed=1, planted_bug=bug)  # it ends when it has found it
    assert result.failed_as == "crash"
    assert result.failed is not None
    assert result.failed not in inputs
    target.outcomes(result.failed)  # it is the bug that makes the difference


@NEEDS_ATHERIS
@pytest.mark.soak(seconds=40)
def test_a_search_without_a_bug_finds_inputs_and_no_difference() -> None:
    result = search(TARGETS["chunks"], [_CHUNKS], seconds=10, seed=1)
    assert result.failed is None
    assert result.executions > 0
    assert result.found
