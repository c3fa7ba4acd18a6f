"""Generated requests tell a change that they show from one that means the same."""

import pytest

from tests.planted_changes.changes import Change, changes_in
from tests.planted_changes.replay import replayed_differences
from tests.planted_changes.survivors import backend_of, fuzzed_differences

_SHORTCUT = "b'%' not in segment"


def _change(file: str, before: str, after: str) -> Change:
    (found,) = (one for one in changes_in(file) if before in one.before and after in one.after)
    return found


@pytest.mark.soak(seconds=10)
def test_only_a_change_that_changes_a_response_of_a_server_is_found() -> None:
    the_same = _change("servers/flask_reading/forms.py", _SHORTCUT, "False")
    shown = _change("servers/flask_reading/forms.py", _SHORTCUT, "True")
    assert list(fuzzed_differences([the_same, shown], "gunicorn", 400, seed=1, batch=300)) == [shown]


@pytest.mark.soak(seconds=8)
def test_only_a_change_that_changes_a_response_of_the_reading_is_found() -> None:
    the_same = _change("servers/sansio/target.py", "if b'%' in raw_path", "if True")
    shown = _change("servers/sansio/urlencoded.py", "b'+'", "b',', b' '")
    unusable = _change("servers/sansio/host.py", "?[0-9]", "?[^0-9]")
    drawn_from = changes_in("servers/contract/problems.py")[0]  # a module that the drawing imports
    changes = [the_same, shown, unusable, drawn_from]
    judged: list[Change] = []
    found = replayed_differences(
        changes,
        "socket",
        400,
        seed=1,
        at_once=2,
        batch=300,
        on_change=lambda change, found: judged.append(change),
    )
    assert {shown, unusable} <= found.keys() <= {shown, unusable, drawn_from}
    assert set(judged) == set(changes)


@pytest.mark.soak(seconds=8)
def test_a_change_of_flask_s_reading_is_found_without_a_connection_too() -> None:
    the_same = _change("servers/flask_reading/forms.py", _SHORTCUT, "False")
    shown = _change("servers/flask_reading/forms.py", _SHORTCUT, "True")
    assert list(replayed_differences([the_same, shown], "gunicorn", 400, seed=1, at_once=1)) == [shown]


def test_only_flask_run_reads_the_head_of_an_environ() -> None:
    changes = [changes_in(f"servers/flask_reading/{file}.py")[0] for file in ("environ", "chunks")]
    assert [backend_of(change) for change in changes] == ["flask", "gunicorn"]
