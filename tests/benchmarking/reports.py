"""The shape of the JSON report, and outcomes to make reports of."""

from typing import Any

from clients.benchmarking.catalog import WORKLOADS
from clients.benchmarking.measured_servers import REFERENCE
from clients.benchmarking.rounds import Measured, Outcome
from clients.benchmarking.samples import MIB, Sample

_NUMBER: dict[str, Any] = {"type": "number", "minimum": 0}
_MAYBE: dict[str, Any] = {"type": ["number", "null"], "minimum": 0}
_REASONS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["workload", "server", "why"],
        "additionalProperties": {"type": "string"},
    },
}
FIGURE = {
    "type": "object",
    "required": ["ratio", "rate", "cpu", "peak_mib", "p99_ms", "rounds", "spread", "p50_ms", "errors"],
    "properties": {
        "ratio": _MAYBE,
        "rate": _NUMBER,
        "cpu": _MAYBE,
        "peak_mib": _NUMBER,
        "p50_ms": _MAYBE,
        "p99_ms": _MAYBE,
        "errors": {"type": "integer", "minimum": 0},
        "rounds": {"type": "integer", "minimum": 1},
        "spread": {"type": ["array", "null"], "items": _NUMBER, "minItems": 2, "maxItems": 2},
    },
    "additionalProperties": _NUMBER,
}
SCHEMA = {
    "type": "object",
    "required": ["schema", "machine", "reference", "workloads", "units", "absent", "left_out", "void"],
    "properties": {
        "schema": {"const": 1},
        "machine": {
            "type": "object",
            "required": [
                "cpus",
                "cpu",
                "memory_mib",
                "kernel",
                "python",
                "file_system",
                "durability",
                "sender",
            ],
        },
        "reference": {"const": REFERENCE},
        "workloads": {
            "type": "object",
            "additionalProperties": {"type": "object", "additionalProperties": FIGURE},
        },
        "units": {
            "type": "object",
            "additionalProperties": {"type": "object", "required": ["rate", "cpu"]},
        },
        "absent": {"type": "object", "additionalProperties": {"type": "string"}},
        "left_out": _REASONS,
        "void": _REASONS,
        "failures": _REASONS,
    },
}
MACHINE = {
    **{"cpus": 2, "cpu": "a CPU", "memory_mib": 1024, "kernel": "Linux", "python": "3.11", "date": "today"},
    **{"file_system": "tmpfs", "durability": "fast", "sender": "python", "size": 4 * MIB},
}


def outcome_of(rates: dict[str, float]) -> Outcome:
    """Three rounds of each workload, in which each server has this rate."""
    samples = {
        name: [Sample(rate, 1.0, 0.5, MIB * 3, tuple(n / 1e4 for n in range(1, 40)))] * 3
        for name, rate in rates.items()
    }
    return Outcome([Measured(workload, dict(samples)) for workload in WORKLOADS])
