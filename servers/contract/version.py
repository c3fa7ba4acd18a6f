"""The version of this code."""

import tomllib
from importlib import metadata
from pathlib import Path

_PROJECT_FILE = Path(__file__).resolve().parent.parent.parent / "pyproject.toml"


def version() -> str:
    """The version of the checkout that it runs from, or else of the installed package."""
    if _PROJECT_FILE.exists():
        return str(tomllib.loads(_PROJECT_FILE.read_text("utf-8"))["project"]["version"])
    return metadata.version("wireproof")
