"""Behind nginx, with `proxy_pass` alone, a server reads forms, files and JSON as without it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from clients.comparison.runner import Backend, run_cases
from clients.launch import HOST, RunningBackend
from tests.nginx import NGINX, nginx
from tests.recorded import all_cases
from tests.third_party_servers.test_third_party_servers import PARSED

_BODIES = ("json", "urlencoded", "multipart_")
_TOO_LARGE = {
    "field-without-type-over-one-mebibyte-not-utf8-is-a-file",
    "fields-of-one-mebibyte-together",
    "untyped-field-of-one-mebibyte",
}
"""nginx takes 1 MiB (`client_max_body_size`)."""


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed: compare behind a proxy is NOT tested")
@pytest.mark.soak(seconds=30)
@pytest.mark.parametrize("name", ["socket", "gunicorn"])
def test_bodies_are_read_as_without_it(
    name: str, backends: Mapping[str, RunningBackend], tmp_path: Path
) -> None:
    """Every case in the soak run, every eighth in the default run."""
    families = [case for case in all_cases() if case.path is not None and PARSED.includes(case)]
    cases = [case for case in families if case.path and case.path.parent.name.startswith(_BODIES)]
    server = backends[name]
    with nginx(tmp_path, f"location / {{ proxy_pass {server.url}; }}") as port:
        compared = [Backend(name, server.host, server.port), Backend("gunicorn", HOST, port)]
        results = run_cases(cases, compared, known_differences={}, projection=PARSED)
    failed = {result.case: result.detail for result in results if result.failed}
    assert failed.keys() <= _TOO_LARGE, failed
    assert len(results) == 2 * len(cases) > 200
