"""The version of the project, for --version and the User-Agent field."""

from __future__ import annotations

import functools
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@functools.cache
def project_version() -> str:
    """The installed version; in a checkout that is not installed, that of pyproject.toml."""
    try:
        return version("wireproof")
    except PackageNotFoundError:
        project = Path(__file__).resolve().parents[2] / "pyproject.toml"
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])
