"""The version of the project, whether it is installed or run from its checkout."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def project_version() -> str:
    """The checkout's version if there is one, else that of the installed distribution."""
    if _PYPROJECT.is_file():
        return str(tomllib.loads(_PYPROJECT.read_text("utf-8"))["project"]["version"])
    try:
        return version("wireproof")
    except PackageNotFoundError:
        return "unknown"
