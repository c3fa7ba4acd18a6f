"""Host, port, store, limits and token, read from flags and the environment, for every backend."""

import ipaddress
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from .contract.access import LOOPBACK_HOSTS, AccessRules
from .contract.limits import Limits
from .contract.route import Context
from .storage import open_store
from .storage.base import Store

LOG = logging.getLogger("wireproof.storage")
PREFIX = "WIREPROOF_"
_TOKEN = re.compile("[!-~]+")
# The minimum of each time. A socket with a time-out of 0 seconds would not wait at all.
_SECONDS = {
    "head_timeout": 1,
    "body_idle_timeout": 1,
    "send_timeout": 1,
    "keep_alive_timeout": 0,
    "body_rate_window": 0,
}
_LONGEST = 365 * 24 * 3600  # a year: no server runs without a restart for longer
_MOST_DIGITS = 18  # such numbers fit in 64 bits
LIMIT_NAMES = tuple(limit.name for limit in fields(Limits))


class SettingsError(ValueError):
    """A flag or a variable has a value that cannot be used; the message names it."""


@dataclass(frozen=True)
class Settings:
    """Everything that can be set. Each field and each limit is read from `WIREPROOF_<NAME>`.

    `hosts` are more names, without ports, that the Host field may have (comma-separated in the environment).
    `durability` is `safe` (a 2xx means that the upload is on disk) or `fast` (no fsync; never the default).
    `existing_store` refuses a folder in which no start has made a store yet.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    store: str = "store"
    durability: str = "safe"
    workers: int = 2
    token: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = ()
    insecure_public: bool = False
    existing_store: bool = False
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **given: Any) -> Self:
        """Settings from the variables in `environ`. A `given` value that is not None replaces its variable.

        Raises SettingsError for a value that is malformed or out of range.
        """
        environ = os.environ if environ is None else environ
        values = {name: environ[PREFIX + name.upper()] for name in _NAMES if PREFIX + name.upper() in environ}
        values |= {name: value for name, value in given.items() if value is not None}
        limits = {name: _number(name, values.pop(name)) for name in LIMIT_NAMES if name in values}
        unknown = values.keys() - _NAMES
        if unknown:
            raise SettingsError(f"there is no setting {sorted(unknown)[0]!r}")
        settings = replace(cls(**_typed(values)), limits=replace(Limits(), **limits))
        settings.check()
        return settings

    def check(self) -> None:
        """Raise SettingsError for a value that is out of range."""
        if self.durability not in ("safe", "fast"):
            raise SettingsError(f"durability is 'safe' or 'fast', not {self.durability!r}")
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise SettingsError(
                "the token is empty or has characters other than visible ASCII: no client could send it"
            )
        if not 0 <= self.port <= 65535:
            raise SettingsError(f"the port {self.port} is not one of 0 to 65535")
        if not 1 <= self.workers <= 1024:
            raise SettingsError(f"workers is 1 to 1024, not {self.workers}")
        for name, least in _SECONDS.items():
            seconds = getattr(self.limits, name)
            if not least <= seconds <= _LONGEST:
                raise SettingsError(f"{name} is {least} to {_LONGEST} seconds, not {seconds}")

    def check_bind(self, host: str | None = None) -> None:
        """Raise SettingsError when `host` is not loopback and neither a token nor insecure_public is set."""
        host = self.host if host is None else host
        if not (is_loopback(host) or self.token is not None or self.insecure_public):
            raise SettingsError(
                f"{host!r} is not a loopback address: everybody who reaches it could upload. "
                f"Set a token (--token or {PREFIX}TOKEN), or allow it (--insecure-public or "
                f"{PREFIX}INSECURE_PUBLIC=1)"
            )

    @cached_property
    def access(self) -> AccessRules:
        """The access rules: which names Host may have, and the token."""
        return AccessRules(LOOPBACK_HOSTS | {host.lower() for host in self.hosts}, self.token)

    @property
    def processes(self) -> int:
        """How many worker processes: `workers`, but one for a store in memory, which they could not share."""
        return 1 if self.store_in_memory else self.workers

    @property
    def store_in_memory(self) -> bool:
        """Whether the store belongs to one process and is lost with it."""
        return self.store.lower() == "memory:"

    def open_store(self) -> Store:
        """Open the store, see `storage.open_store`. Raises SettingsError if it takes no uploads."""
        try:
            return open_store(self.store, durable=self.durability == "safe", existing=self.existing_store)
        except ValueError as error:
            raise SettingsError(str(error)) from None
        except OSError as error:
            raise SettingsError(f"the store {self.store!r} cannot be used: {error.strerror}") from error

    def context(self, store: Store) -> Context:
        """The limits, the access rules and `store`, as the routes get them."""
        return Context(self.limits, self.access, store)


_NAMES = frozenset({setting.name for setting in fields(Settings)} - {"limits"} | set(LIMIT_NAMES))


def sweep(store: Store) -> int:
    """Remove what interrupted uploads have left in the store. Returns how many. A failure is only logged."""
    try:
        return store.clean()
    except OSError as error:
        LOG.error("what interrupted uploads have left cannot be removed: %s", error.strerror)
        return 0


def is_loopback(host: str) -> bool:
    """Whether a bind address can be reached only from this machine. Of names, only localhost counts."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    typed = dict(values)
    for name in ("port", "workers"):
        if name in typed:
            typed[name] = _number(name, typed[name])
    if isinstance(typed.get("hosts"), str):
        typed["hosts"] = tuple(host.strip() for host in typed["hosts"].split(",") if host.strip())
    for name in ("insecure_public", "existing_store"):
        if isinstance(typed.get(name), str):
            typed[name] = _flag(name, typed[name])
    if isinstance(typed.get("store"), Path):
        typed["store"] = str(typed["store"])
    return typed


def _number(name: str, value: int | str) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit()):
        raise SettingsError(f"{name} is a whole number, not {text[:80]!r}")
    if len(text) > _MOST_DIGITS:
        raise SettingsError(f"{name} has {len(text)} digits: too many")
    return int(text)


def _flag(name: str, value: str) -> bool:
    if value.lower() not in ("0", "1", "true", "false", "yes", "no", ""):
        raise SettingsError(f"{name} is 1 or 0, not {value!r}")
    return value.lower() in ("1", "true", "yes")
