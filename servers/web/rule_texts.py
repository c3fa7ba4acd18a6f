"""The texts of the rules, from `sample_files/requests/rules.toml`.

In a checkout `sample_files` is a folder, in an installation a package beside that of this module.
"""

import logging
import tomllib
from functools import cache
from pathlib import Path
from types import MappingProxyType

LOG = logging.getLogger("wireproof.web")
RULES = Path(__file__).resolve().parents[2] / "sample_files" / "requests" / "rules.toml"


@cache
def texts() -> MappingProxyType[str, str]:
    """What each rule says, by its name. Empty if the file is missing or cannot be read."""
    try:
        rules = tomllib.loads(RULES.read_text("utf-8"))
        return MappingProxyType({name: str(rule["says"]) for name, rule in rules.items()})
    except (OSError, ValueError, KeyError, TypeError) as error:
        LOG.warning("the texts of the rules cannot be read: %s", error)
        return MappingProxyType({})
