"""The version of the project, for --version and the User-Agent field."""

import functools
import tomllib
from importlib.metadata import version
from pathlib import Path


@functools.cache
def project_version() -> str:
    """The version that a checkout's pyproject.toml names, or else that of the installed package."""
    project_file = Path(__file__).resolve().parents[2] / "pyproject.toml"
    if project_file.is_file():
        return str(tomllib.loads(project_file.read_text("utf-8"))["project"]["version"])
    return version("wireproof")
