"""Generated requests tell a change that they show from one that means the same."""

import pytest

from tests.planted_changes.changes import Change, changes_in
from tests.planted_changes.survivors import fuzzed_differences

_SHORTCUT = "b'%' not in segment"


def _change(file: str, before: str, after: str) -> Change:
    (found,) = (one for one in changes_in(file) if before in one.before and after in one.after)
    return found


@pytest.mark.parametrize(
    ("backend", "the_same", "shown"),
    [
        (
            "socket",
            _change("servers/sansio/target.py", "if b'%' in raw_path", "if True"),
            _change("servers/sansio/urlencoded.py", "b'+'", "b',', b' '"),
        ),
        (
            "gunicorn",
            _change("servers/flask_reading/forms.py", _SHORTCUT, "False"),
            _change("servers/flask_reading/forms.py", _SHORTCUT, "True"),
        ),
    ],
)
def test_only_a_change_that_changes_a_response_is_found(
    backend: str, the_same: Change, shown: Change
) -> None:
    assert list(fuzzed_differences([the_same, shown], backend, 400, seed=1, batch=300)) == [shown]
