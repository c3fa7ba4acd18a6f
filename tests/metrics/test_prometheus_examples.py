"""The files for Prometheus in servers/README.md: promtool takes them, and the alerts fire when they must."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from clients.launch import PROJECT_ROOT
from servers.metrics.definitions import METRICS, OPERATIONS
from servers.routes import ROUTES

PROMTOOL = shutil.which("promtool")
_README = (PROJECT_ROOT / "servers" / "README.md").read_text("utf-8")
_FILES = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", _README, re.DOTALL))
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed: the examples are NOT checked by it"
)

# An upload each second and 3 of 100 that fail; a publish that takes between 2.5 and 5 s.
_CASES = """
rule_files: [wireproof.rules.yml]
evaluation_interval: 30s
tests:
  - interval: 30s
    input_series:
      - series: 'wireproof_requests_total{instance="sick", route="put_file", method="PUT", status="200"}'
        values: '0+97x60'
      - series: 'wireproof_requests_total{instance="sick", route="put_file", method="PUT", status="507"}'
        values: '0+3x60'
      - series: 'wireproof_requests_total{instance="well", route="put_file", method="PUT", status="200"}'
        values: '0+1000x60'
      - series: 'wireproof_requests_total{instance="well", route="put_file", method="PUT", status="507"}'
        values: '0+3x60'
      - series: 'wireproof_requests_total{instance="well", route="healthz", method="GET", status="503"}'
        values: '0+1000x60'
      - series: 'wireproof_store_duration_seconds_bucket{instance="sick", operation="publish", le="2.5"}'
        values: '0x60'
      - series: 'wireproof_store_duration_seconds_bucket{instance="sick", operation="publish", le="5.0"}'
        values: '0+1x60'
      - series: 'wireproof_store_duration_seconds_bucket{instance="sick", operation="publish", le="+Inf"}'
        values: '0+1x60'
      - series: 'wireproof_store_duration_seconds_bucket{instance="well", operation="publish", le="0.5"}'
        values: '0+1x60'
      - series: 'wireproof_store_duration_seconds_bucket{instance="well", operation="publish", le="+Inf"}'
        values: '0+1x60'
    alert_rule_test:
      - eval_time: 25m
        alertname: UploadsFail
        exp_alerts: [{exp_labels: {instance: sick, severity: page}, exp_annotations: {summary: "UPLOADS"}}]
      - eval_time: 25m
        alertname: StoreIsSlow
        exp_alerts: [{exp_labels: {instance: sick, severity: ticket}, exp_annotations: {summary: "SLOW"}}]
      - eval_time: 1m
        alertname: UploadsFail
        exp_alerts: []
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of the README, with a token file where the machine of Prometheus has one."""
    token = tmp_path / "token"
    token.write_text("0123456789abcdef")
    for name, text in _FILES.items():
        (tmp_path / name).write_text(text.replace("/etc/prometheus/wireproof.token", str(token)))
    return tmp_path


def _promtool(folder: Path, *arguments: str) -> str:
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_readme_shows_both_files() -> None:
    assert set(_FILES) == {"prometheus.yml", "wireproof.rules.yml"}


@needs_promtool
def test_promtool_takes_the_configuration_and_the_rules(folder: Path) -> None:
    assert "2 rules found" in _promtool(folder, "check", "rules", "wireproof.rules.yml")
    checked = _promtool(folder, "check", "config", "prometheus.yml")
    assert "prometheus.yml is valid" in checked
    assert "1 rule files found" in checked


@needs_promtool
def test_each_alert_fires_for_a_server_that_is_sick_and_for_no_other(folder: Path) -> None:
    uploads, slow = re.findall(r'summary: "(.*)"', _FILES["wireproof.rules.yml"])
    cases = _CASES.replace("UPLOADS", uploads).replace("SLOW", slow).replace("{{ $labels.instance }}", "sick")
    (folder / "cases.yml").write_text(cases)
    assert "SUCCESS" in _promtool(folder, "test", "rules", "cases.yml")


def test_the_rules_name_metrics_and_labels_that_exist() -> None:
    rules = _FILES["wireproof.rules.yml"]
    labels = {metric.name: {*metric.labels} for metric in METRICS}
    used = re.findall(r"(wireproof_\w+?)(?:_bucket)?\{(.*?)\}", rules)
    assert len(used) == 3
    for name, selectors in used:
        assert {selector.partition("=")[0].strip() for selector in selectors.split(",")} <= labels[name]
    for value in re.findall(r'route=~"(.*?)"', rules):
        assert set(value.split("|")) <= {route.name for route in ROUTES}
    assert set(re.findall(r'operation="(.*?)"', rules)) <= set(OPERATIONS)
