"""Through a proxy with its default settings an endpoint has the same groups, and the proxy is named."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from clients import compare
from clients.assessment.report import Report, grouped
from clients.comparison.cases import load_cases
from clients.launch import HOST, RunningBackend, free_port
from tests.assessment.serving import app_url, process_url, report_on
from tests.nginx import NGINX, nginx

HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
_HAPROXY = """
defaults
    mode http
    timeout client 30s
    timeout server 30s
    timeout connect 5s
listen upload
    bind 127.0.0.1:{port}
    server s {address}
"""
_STEP = 6  # of the cases
needs_nginx = pytest.mark.skipif(
    NGINX is None, reason="nginx is not installed: an endpoint behind it is NOT tested"
)
needs_haproxy = pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed: it is NOT tested")


@pytest.fixture(scope="module")
def flask() -> Iterator[str]:
    with app_url("flask") as url:
        yield url


@pytest.fixture(scope="module")
def direct(flask: str, backends: Mapping[str, RunningBackend]) -> Report:
    return report_on(f"{flask}/upload", load_cases()[::_STEP], backends["socket"])


def groups(report: Report) -> dict[str, dict[str, set[str]]]:
    """The cases by group and kind."""
    return {
        group.title: {one.kind: {finding.case for finding in one.findings} for one in kinds}
        for group, kinds in grouped(report.findings)
    }


def assert_same_groups(report: Report, direct: Report) -> None:
    """Apart from malformed heads, which a proxy refuses itself, and errors that it hides."""
    front, back = groups(report), groups(direct)
    assert front["silent loss"].keys() == back["silent loss"].keys()
    assert front.keys() >= back.keys() - {"crash"}
    mine = {finding.key for finding in report.findings}
    assert len(mine - {finding.key for finding in direct.findings}) <= 2


@needs_nginx
@pytest.mark.parametrize("more", ["", " proxy_http_version 1.1;"], ids=["HTTP/1.0", "HTTP/1.1"])
def test_nginx_with_proxy_pass_alone(
    more: str, flask: str, direct: Report, backends: Mapping[str, RunningBackend], tmp_path: Path
) -> None:
    with nginx(tmp_path, f"location / {{ proxy_pass {flask};{more} }}") as port:
        report = report_on(f"http://{HOST}:{port}/upload", load_cases()[::_STEP], backends["socket"])
    assert report.probe.proxy == "nginx"
    assert_same_groups(report, direct)


@needs_haproxy
def test_haproxy_with_default_settings(
    flask: str, direct: Report, backends: Mapping[str, RunningBackend], tmp_path: Path
) -> None:
    with haproxy(flask, tmp_path) as url:
        report = report_on(f"{url}/upload", load_cases()[::_STEP], backends["socket"])
    assert report.probe.proxy == "haproxy"
    assert_same_groups(report, direct)


@contextmanager
def haproxy(upstream: str, folder: Path) -> Iterator[str]:
    """The URL of a running haproxy in front of a URL."""
    config, port = folder / "haproxy.cfg", free_port()
    config.write_text(_HAPROXY.format(port=port, address=upstream.removeprefix("http://")), "utf-8")
    with process_url(str(HAPROXY), "-f", config, port=port) as url:
        yield url


@needs_nginx
def test_what_the_proxy_does_is_told_apart_from_the_server(flask: str, tmp_path: Path) -> None:
    """A proxy that takes 2 KiB: the server would accept more."""
    location = f"location / {{ client_max_body_size 2k; proxy_pass {flask}; }}"
    with nginx(tmp_path, location) as port:
        arguments = [f"http://{HOST}:{port}/upload", "--behind", f"{flask}/upload", "--rules", "M86,M38"]
        done = CliRunner(env={"COLUMNS": "120"}).invoke(compare.main, arguments)
    assert done.exit_code == 1
    assert "by the proxy)" in done.output
    assert "The proxy makes " in done.output
