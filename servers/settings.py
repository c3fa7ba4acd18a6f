"""Host, port, store, limits and token, read from flags and the environment, for every backend."""

import ipaddress
import logging
import os
import random
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from .contract.access import LOOPBACK_HOSTS, AccessRules, host_of_address
from .contract.limits import Limits
from .contract.load import Load
from .contract.peers import Peer, read_peers
from .contract.request_log import RequestLog
from .contract.route import Context
from .contract.shutdown import Shutdown
from .contract.tokens import SINGLE, Token
from .storage import local_folder, open_store
from .storage.base import Store
from .token_file import read_again, tokens_in
from .variables import PREFIX, names_for_messages, variable, warn_of_unknown, warn_once
from .web.history import DEFAULT, History, open_history
from .web.history_writer import Busy, Failed

if TYPE_CHECKING:
    from .metrics import ServerMetrics

LOG = logging.getLogger("wireproof.storage")
_TOKEN = re.compile("[!-~]+")
# As browsers write it: in lower case, without a path, and without the port that is the default one.
_ORIGIN = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")
_DEFAULT_PORT = re.compile(r"http://.*:80|https://.*:443")
# The minimum of each time. A socket with a time-out of 0 seconds would not wait at all.
_SECONDS = {
    "head_timeout": 1,
    "body_idle_timeout": 1,
    "send_timeout": 1,
    "keep_alive_timeout": 0,
    "body_rate_window": 0,
    "resume_timeout": 1,
}
_LONGEST = 365 * 24 * 3600  # a year: no server runs without a restart for longer
_LONGEST_STOP = 24 * 3600
_MOST_HISTORY = 100_000
_MOST_DAYS = 36_500
_EXPIRE_SECONDS = 3600.0  # between two looks for old files
_MOST_DIGITS = 18  # such numbers fit in 64 bits
LIMIT_NAMES = tuple(limit.name for limit in fields(Limits))


class SettingsError(ValueError):
    """A flag or a variable has a value that cannot be used; the message names it."""

    exit_status: ClassVar = 2


class StartError(SettingsError):
    """The settings are in order, but the machine does not allow them: the port is in use, for example."""

    exit_status = 1


@dataclass(frozen=True)
class Settings:
    """Everything that can be set. Each field and each limit is read from `WIREPROOF_<NAME>`.

    `hosts` are more names, without ports, that the Host field may have (comma-separated in the environment).
    The name or address in `host` is one of them.
    `durability` is `safe` (a 2xx means that the upload is on disk) or `fast` (no fsync; never the default).
    `quiet` leaves out the line for each request, `log_json` makes each line of the log a JSON object.
    `peers` are the servers that the page may send requests to (`NAME=URL,NAME=URL` in the environment).
    `existing_store` refuses a folder in which no start has made a store yet.
    `history` is how many requests are kept for the page, and 0 for none. None means the default: 500 for
    requests that arrive at a loopback address, because bodies are kept as they are.
    `token_file` is the path of a file with named tokens, beside the single `token`, which allows everything.
    Pages of the origins in `cors_origin` may upload, and read files (comma-separated in the environment).
    `min_free` is how many bytes of the file system uploads leave free.
    `expire` is after how many days stored files are removed; 0: never.
    `shutdown_delay` and `grace_period` are in seconds, see `Shutdown`.
    `metrics` says whether `GET /metrics` shows what is counted; it needs the extra `metrics`.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    store: str = "store"
    durability: str = "safe"
    workers: int = 2
    token: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = ()
    insecure_public: bool = False
    quiet: bool = False
    log_json: bool = False
    existing_store: bool = False
    peers: tuple[Peer, ...] = ()
    history: int | None = None
    token_file: str | None = None
    cors_origin: tuple[str, ...] = ()
    min_free: int = 0
    expire: int = 0
    shutdown_delay: int = 0
    grace_period: int = 30
    metrics: bool = False
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] | None = None, *, wire: bool = False, **flags: Any
    ) -> Self:
        """Settings from the variables in `environ`. A flag whose value is not None replaces its variable.

        Logs a warning for an unknown variable, and for workers that have no effect (`wire`: `--wire` takes
        one). Raises SettingsError for a value that is malformed or out of range.
        """
        environ = os.environ if environ is None else environ
        flags = {name: value for name, value in flags.items() if value is not None}
        if unknown := flags.keys() - _NAMES:
            raise SettingsError(f"there is no setting {min(unknown)!r}")
        warn_of_unknown(environ, _NAMES)
        names = names_for_messages(_NAMES, flags, environ)
        values = {name: environ[variable(name)] for name in _NAMES if variable(name) in environ} | flags
        limits = {name: _number(names[name], values.pop(name)) for name in LIMIT_NAMES if name in values}
        settings = replace(cls(**_typed(values, names)), limits=replace(Limits(), **limits))
        settings._check(names)
        if "workers" in values and settings.workers > 1 and (wire or settings.processes == 1):
            why = "--wire shows one process" if wire else "a store in memory belongs to one process"
            warn_once(f"{names['workers']} has no effect: {why}")
        return settings

    def _check(self, names: Mapping[str, str]) -> None:
        """Raise SettingsError for a value that is out of range, with the name of its setting in `names`."""
        if self.durability not in ("safe", "fast"):
            raise SettingsError(f"{names['durability']} is 'safe' or 'fast', not {self.durability!r}")
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise SettingsError(
                f"{names['token']} is empty or has characters other than visible ASCII:"
                " no client could send it"
            )
        try:
            tokens = self._tokens()
        except ValueError as error:
            raise SettingsError(f"{names['token_file']}: the file {self.token_file!r} {error}") from None
        if len({token.digest for token in tokens}) < len(tokens):
            raise SettingsError(f"{names['token_file']} has the token of {names['token']} too")
        for origin in self.cors_origin:
            if not _ORIGIN.fullmatch(origin) or _DEFAULT_PORT.fullmatch(origin):
                raise SettingsError(
                    f"{names['cors_origin']} has origins as browsers send them, https://HOST or"
                    f" https://HOST:PORT, not {origin!r}"
                )
        if not 0 <= self.port <= 65535:
            raise SettingsError(f"{names['port']} is 0 to 65535, not {self.port}")
        if not 1 <= self.workers <= 1024:
            raise SettingsError(f"{names['workers']} is 1 to 1024, not {self.workers}")
        if self.history is not None and self.history > _MOST_HISTORY:
            raise SettingsError(f"{names['history']} is at most {_MOST_HISTORY}, not {self.history}")
        if self.expire > _MOST_DAYS:
            raise SettingsError(f"{names['expire']} is 0 to {_MOST_DAYS} days, not {self.expire}")
        for name in ("shutdown_delay", "grace_period"):
            if not 0 <= getattr(self, name) <= _LONGEST_STOP:
                raise SettingsError(
                    f"{names[name]} is 0 to {_LONGEST_STOP} seconds, not {getattr(self, name)}"
                )
        for host in self.hosts:
            if ":" in host and host_of_address(host) is None:
                raise SettingsError(f"{names['hosts']} has names without ports, not {host!r}")
        for name, least in _SECONDS.items():
            seconds = getattr(self.limits, name)
            if not least <= seconds <= _LONGEST:
                raise SettingsError(f"{names[name]} is {least} to {_LONGEST} seconds, not {seconds}")

    def check_bind(self, host: str | None = None) -> None:
        """Raise SettingsError when `host` is not loopback and neither a token nor insecure_public is set."""
        host = self.host if host is None else host
        has_token = self.token is not None or self.token_file is not None
        if not (is_loopback(host) or has_token or self.insecure_public):
            raise SettingsError(
                f"{host!r} is not a loopback address: everybody who reaches it could upload. "
                f"Set a token (--token, {PREFIX}TOKEN or --token-file), or allow it (--insecure-public or "
                f"{PREFIX}INSECURE_PUBLIC=1)"
            )

    @property
    def access(self) -> AccessRules:
        """The access rules: which names Host may have, the tokens, and the origins that are permitted.

        Raises ValueError if the file of tokens cannot be used.
        """
        ours = {host_of_address(host) or host.lower() for host in (self.host, *self.hosts)}
        return AccessRules(LOOPBACK_HOSTS | ours - _NO_NAMES, self._tokens(), frozenset(self.cors_origin))

    def _tokens(self) -> tuple[Token, ...]:
        single = () if self.token is None else (Token.of(SINGLE, "full", self.token),)
        return single if self.token_file is None else (*single, *tokens_in(self.token_file))

    def read_tokens_again(self, log: logging.Logger) -> AccessRules:
        """The access rules with the tokens that the file has now. If it cannot be used, that is logged."""
        if self.token_file is not None:
            read_again(self.token_file, log)
        return self.access

    @cached_property
    def log(self) -> RequestLog:
        """The log of requests."""
        return RequestLog(quiet=self.quiet, as_json=self.log_json, metrics=self.open_metrics())

    @property
    def processes(self) -> int:
        """How many worker processes: `workers`, but one for a store in memory, which they could not share."""
        return 1 if self.store_in_memory else self.workers

    @property
    def store_in_memory(self) -> bool:
        """Whether the store belongs to one process and is lost with it."""
        return self.store.lower() == "memory:"

    def open_store(self) -> Store:
        """Open the store, see `storage.open_store`.

        Raises SettingsError, or StartError if the machine does not allow it: it takes no uploads.
        """
        try:
            return open_store(
                self.store,
                durable=self.durability == "safe",
                existing=self.existing_store,
                min_free=self.min_free,
                expire=self.expire,
            )
        except ValueError as error:
            raise SettingsError(str(error)) from None
        except OSError as error:
            raise StartError(f"the store {self.store!r} cannot be used: {error.strerror}") from error

    def context(self, store: Store, history: History | None = None, backend: str = "socket") -> Context:
        """What a backend and its routes get. With metrics, the `store` is measured.

        Raises SettingsError.
        """
        load = Load.within(self.limits)
        metrics = self.open_metrics()
        if metrics is not None:
            from .metrics import MeteredStore

            metrics.uploads = lambda: load.uploads.held
            store = MeteredStore(store, metrics.store_operation)
        return Context(
            *(self.limits, self.access, store, self.log, history, backend, self.peers),
            load=load,
            metrics=metrics,
            shutdown=Shutdown(self.shutdown_delay, self.grace_period),
        )

    def open_metrics(self, *, forks: bool = False) -> "ServerMetrics | None":
        """The metrics of this process, or None if they are off.

        A process that `forks` workers makes the folder that they share. Raises SettingsError, or StartError
        if the folder cannot be made.
        """
        if not self.metrics:
            return None
        try:
            from .metrics import open_metrics  # only with them is prometheus_client needed
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"metrics need the package {error.name}: pip install 'wireproof[metrics]'"
            ) from None
        metrics = open_metrics()
        try:
            if forks:
                metrics.prepare()
        except OSError as error:
            raise StartError(f"there is no room for metrics: {error}") from error
        return metrics

    def open_history(self) -> History | None:
        """The history of requests, or None if it is off. If it cannot be made, that is only logged."""
        if self.history == 0 or (self.history is None and not is_loopback(self.host)):
            return None
        try:
            return open_history(
                local_folder(self.store), self.history or DEFAULT, loopback_only=self.history is None
            )
        except (Busy, Failed) as error:
            warn_once(f"there is no history of requests, because it cannot be written: {error}")
            return None


# A server that listens on these is reached under other names.
_NO_NAMES = frozenset({"", "0.0.0.0", "[::]"})
_SWITCHES = tuple(setting.name for setting in fields(Settings) if setting.default is False)
_NAMES = frozenset({setting.name for setting in fields(Settings)} - {"limits"} | set(LIMIT_NAMES))


def sweep(store: Store) -> int:
    """Remove what interrupted uploads have left in the store. Returns how many. A failure is only logged."""
    try:
        return store.clean()
    except OSError as error:
        LOG.error("what interrupted uploads have left cannot be removed: %s", error.strerror)
        return 0


def start_upkeep(store: Store, limits: Limits) -> None:
    """Remove old files and old uploads now and each hour, and sweep as often as the store asks.

    Each has a thread of its own. Call it in the process that serves: a fork would lose the threads.
    """
    threading.Thread(target=_expire, args=(store, limits), name="expiry", daemon=True).start()
    if store.sweep_seconds:
        threading.Thread(target=_sweep_often, args=(store,), name="sweep", daemon=True).start()


def _expire(store: Store, limits: Limits) -> None:
    while True:
        try:
            if store.expires and (removed := store.expire()):
                LOG.info("%d files have expired", removed)
            if removed := store.resumables.remove_older(limits.resume_timeout):
                LOG.info("%d uploads that nobody has continued have expired", removed)
        except OSError as error:
            LOG.error("old files cannot be removed: %s", error.strerror)
        time.sleep(min(_EXPIRE_SECONDS, limits.resume_timeout))


def _sweep_often(store: Store) -> None:
    while True:
        # Each process looks at another time. Otherwise all of them would find the same leftovers.
        time.sleep(store.sweep_seconds * random.uniform(0.5, 1.5))
        if removed := sweep(store):
            LOG.info("%d leftovers of interrupted uploads were removed", removed)


def is_loopback(host: str) -> bool:
    """Whether a bind address can be reached only from this machine. Of names, only localhost counts."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _typed(values: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    typed = dict(values)
    for name in ("port", "workers", "min_free", "expire", "shutdown_delay", "grace_period"):
        if name in typed:
            typed[name] = _number(names[name], typed[name])
    if "history" in typed:
        given = str(typed["history"])
        typed["history"] = 0 if given.lower() == "off" else _number(names["history"], given)
    for name in ("hosts", "cors_origin"):
        if isinstance(typed.get(name), str):
            typed[name] = tuple(entry.strip() for entry in typed[name].split(",") if entry.strip())
    if isinstance(typed.get("peers"), str):
        try:
            typed["peers"] = read_peers(typed["peers"])
        except ValueError as error:
            raise SettingsError(f"{names['peers']} {error}") from None
    for name in _SWITCHES:
        if isinstance(typed.get(name), str):
            typed[name] = _flag(names[name], typed[name])
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
