"""The cases as tests of another project: one test id a case."""

import pytest

from clients.launch import PROJECT_ROOT
from tests.assessment.serving import app_url

pytest_plugins = ["pytester"]

_TESTS = """
import sys
import pytest

sys.path.insert(0, {root!r})
{imports}

@pytest.fixture(scope="session")
def upload_endpoint():
    return {endpoint}

@pytest.mark.upload_cases("name-[a-m]*")
def test_upload(upload_case):
    upload_case.check()
"""
_FLASK = "from tests.assessment.apps.flask_app import create_app, strict_app"
_FASTAPI = "from tests.assessment.apps.fastapi_app import create_app"
# The frameworks leave files of a refused form to the garbage collector.
_ARGUMENTS = ("-p", "no:xdist", "-p", "no:randomly", "-rA", "-W", "ignore::ResourceWarning")


def outcome(pytester: pytest.Pytester, imports: str, endpoint: str) -> pytest.RunResult:
    pytester.makepyfile(_TESTS.format(root=str(PROJECT_ROOT), imports=imports, endpoint=endpoint))
    return pytester.runpytest_subprocess(*_ARGUMENTS, "-W", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.soak(seconds=10)
def test_a_strict_wsgi_application_passes_every_case(pytester: pytest.Pytester) -> None:
    done = outcome(pytester, _FLASK, "(strict_app(), '/upload')")
    passed = done.parseoutcomes()
    assert passed["passed"] > 15
    assert set(passed) <= {"passed", "skipped"}


def test_a_failing_case_has_its_id_and_shows_the_bytes(pytester: pytest.Pytester) -> None:
    done = outcome(pytester, _FLASK, "(create_app(''), '/upload')")
    assert done.parseoutcomes()["failed"] > 3
    text = done.stdout.str()
    assert "FAILED test_a_failing_case_has_its_id_and_shows_the_bytes.py::test_upload[name-empty" not in text
    assert "::test_upload[name-ext-with-parentheses]" in text
    assert "silent loss: The name of a field is changed." in text
    assert "Content-Disposition: form-data; name*=" in text


@pytest.mark.soak(seconds=10)
def test_an_asgi_application_is_served_too(pytester: pytest.Pytester) -> None:
    done = outcome(pytester, _FASTAPI, "(create_app(''), '/upload')")
    assert {"passed", "failed"} <= done.parseoutcomes().keys()


@pytest.mark.soak(seconds=10)
def test_a_url_is_enough(pytester: pytest.Pytester) -> None:
    with app_url("strict") as url:
        done = outcome(pytester, "", f"'{url}/upload'")
    assert set(done.parseoutcomes()) <= {"passed", "skipped"}


def test_without_an_endpoint_the_error_says_what_to_do(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_upload(upload_case):\n    upload_case.check()\n")
    done = pytester.runpytest_subprocess(*_ARGUMENTS, "-k", "name-empty")
    assert "define the fixture upload_endpoint" in done.stdout.str()


@pytest.mark.soak(seconds=10)
def test_what_cannot_be_judged_is_an_error(pytester: pytest.Pytester) -> None:
    with app_url("strict") as url:
        done = outcome(pytester, "", f"'{url}/nothing'")
    assert "there is nothing at this path" in done.stdout.str()
    assert done.parseoutcomes().keys() <= {"error", "errors"}
