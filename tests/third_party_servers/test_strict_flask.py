"""One line makes a stock Flask application strict: no form, file or JSON is read wrongly any more."""

import sys
from collections.abc import Mapping

import pytest

from clients import launch
from clients.comparison.runner import Backend, run_cases
from clients.launch import BackendKind, RunningBackend
from tests.recorded import all_cases
from tests.third_party_servers.test_third_party_servers import DEFECTS, PARSED

_APP = "tests.third_party_servers.strict_flask"
COMMANDS = {
    "flask run": ("flask", "--app", _APP, "run", "--host", "{host}", "--port", "{port}"),
    "gunicorn": ("gunicorn", "--no-control-socket", "--bind", "{address}", f"{_APP}:app"),
}
_BODIES = ("json", "urlencoded", "multipart_")
# Not lost, but other than in our contract.
KNOWN = {
    "form-keeps-order-and-repeats": "a MultiDict keeps the order within a name only",
    "fields-interleaved": "a MultiDict keeps the order within a name only",
    "fields-of-one-mebibyte-together": "Flask's MAX_FORM_MEMORY_SIZE is 500,000",
    "untyped-field-of-one-mebibyte": "Flask's MAX_FORM_MEMORY_SIZE is 500,000",
    "form-over-one-mebibyte": "Flask has no limit for it",
    "json-over-one-mebibyte": "Flask has no limit for it",
    "json-sent-as-octet-stream": "the application shows no body of this type",
    "json-sent-without-a-type": "the application shows no body without a type",
    "x-url-encoded-is-bytes": "the application shows no body of this type",
    "multipart-mixed-is-bytes": "the application shows no body of this type",
}


@pytest.mark.soak(seconds=30)
@pytest.mark.parametrize("host", COMMANDS)
def test_no_form_file_or_json_is_read_wrongly(
    host: str, backends: Mapping[str, RunningBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every case in the soak run, every eighth and those of the defects in the default run."""
    cases = [
        case
        for case in all_cases()
        if PARSED.includes(case)
        and case.path is not None
        and (case.path.parent.name.startswith(_BODIES) or case.name in DEFECTS)
    ]
    monkeypatch.setitem(launch.BACKENDS, "strict", BackendKind((sys.executable, "-m", *COMMANDS[host])))
    with launch.start("strict") as strict:
        compared = [
            Backend("socket", backends["socket"].host, backends["socket"].port),
            Backend("flask", strict.host, strict.port),  # T1: what an application can see
        ]
        results = run_cases(cases, compared, known_differences={}, projection=PARSED)
    found = {result.case: result.detail for result in results if result.failed}
    assert {case: detail for case, detail in found.items() if case not in KNOWN} == {}
    assert len(results) > 1500
