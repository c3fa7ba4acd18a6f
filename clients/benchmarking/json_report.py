"""The report as JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from .measured_servers import REFERENCE
from .rounds import Outcome
from .samples import Figure

SCHEMA = 1
"""The number of the JSON's shape; it changes when a key is renamed or removed."""


def report_json(outcome: Outcome, machine: dict[str, Any]) -> str:
    """Everything that was measured. Ends with LF."""
    document = {
        "schema": SCHEMA,
        "machine": machine,
        "reference": REFERENCE,
        "workloads": {
            measured.workload.name: {name: _figure(figure) for name, figure in measured.figures().items()}
            for measured in outcome.measured
        },
        "units": {
            measured.workload.name: {
                "rate": f"{measured.workload.unit}/s",
                "cpu": measured.workload.cpu_unit,
            }
            for measured in outcome.measured
        },
        "versions": {name: version for name, version in outcome.versions.items() if version.strip("?")},
        "absent": outcome.absent,
        "left_out": _reasons(outcome.left_out),
        "void": _reasons(outcome.void),
        "failures": _reasons((*key, why) for key, why in outcome.failures.items()),
    }
    return json.dumps(document, indent=1) + "\n"


def _reasons(rows: Iterable[tuple[str, str, str]]) -> list[dict[str, str]]:
    return [{"workload": workload, "server": server, "why": why} for workload, server, why in rows]


def _figure(figure: Figure) -> dict[str, Any]:
    values = asdict(figure)
    extra = values.pop("extra")
    return {name: _rounded(value) for name, value in (values | extra).items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_rounded(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
