"""What each guest of the matrix loses or fails at (`guests.md`). A test fails when a defect is repaired."""

import os
from pathlib import Path

import pytest

from clients.comparison.cases import load_cases
from clients.guests.matrix import measure
from clients.guests.table import SCRIPTS, load_guests
from clients.programs import AbsentError, prepare, version_of
from tests.upstream.guests import DOCUMENT, defect_of, load_measured


@pytest.mark.clients_matrix
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", load_measured())
def test_a_guest_has_the_defects_that_were_measured(name: str, tmp_path: Path) -> None:
    """WIREPROOF_GUESTS names a folder in which the guests stay installed."""
    folder = Path(os.environ.get("WIREPROOF_GUESTS") or tmp_path)
    guest, measured = load_guests()[name], load_measured()[name]
    try:
        prepare(guest, folder / name, SCRIPTS)
    except AbsentError as error:
        pytest.skip(str(error))
    version = version_of(guest, folder / name, SCRIPTS)
    if version != measured.version:
        pytest.skip(f"it was measured with {measured.version}, and this is {version}")
    named = {defect.case for defect in measured.defects}
    cases = [case for case in load_cases() if case.name in named]
    (column,) = measure([guest], cases, [], folder).columns[2:]
    assert [defect_of(column, defect.case) for defect in measured.defects] == measured.defects


def test_every_guest_is_measured_and_every_defect_documented() -> None:
    assert load_measured().keys() <= load_guests().keys()
    assert len(load_measured()) >= 25
    text = DOCUMENT.read_text("utf-8")
    names = {case.name for case in load_cases()}
    for measured in load_measured().values():
        for defect in measured.defects:
            assert defect.case in names
            assert f"| {defect.kind} | `{defect.case}` |" in text
