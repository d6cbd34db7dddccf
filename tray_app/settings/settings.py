"""The table of all settings, with one row for each: name, type, default, check, description and variables.

The names are the keys of the JSON file. `nvidia_url` and `nvidia_key` are the names that claude-nvidia-proxy uses in
its config.json, so that such a file works here without changes. The variables have its names, too.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tray_app.catalog import GLM_4_7, Catalog, Model, join_rows, plain_name
from tray_app.settings.checks import model_ids, origins, switch, text, web_address, whole_number, word
from tray_app.settings.schema import read_rows, setting

NVIDIA_URL = "https://integrate.api.nvidia.com/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Address:
    """The address that the gateway listens on. An empty host means every network interface, as in `:3001`."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Tells whether only programs on this machine can reach the address."""
        return _is_loopback(self.host)

    @property
    def url(self) -> str:
        """The URL at which a client on this machine reaches the gateway."""
        reachable = "127.0.0.1" if self.host in ("", "0.0.0.0", "::") else self.host  # noqa: S104 (it recognises the address)
        return f"http://{Address(reachable, self.port)}"


@lru_cache(maxsize=16)
def _is_loopback(host: str) -> bool:
    """Tells whether the host is this machine. Each request asks for the same few hosts, and reading one takes 2 us."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_address(text: str) -> Address:
    """Reads `host:port`, `[ipv6]:port`, `:port` (every interface) or `port` (loopback). ValueError: it is none."""
    text = text.strip()
    host, colon, port = text.rpartition(":")
    if not colon:
        host = "127.0.0.1"
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
        ipaddress.IPv6Address(host)
    # isdecimal alone would accept the digits of other scripts. Port 0 asks the system for a free port.
    if (
        not (port.isascii() and port.isdecimal() and int(port) <= 65535)
        or (":" in host and not bracketed)
        or "/" in host
    ):
        raise ValueError(text)
    return Address(host, int(port))


_SWITCH = (switch, "true or false")
_IDS = (model_ids, f'a list of ids such as ["{GLM_4_7.id}"]')
_COUNT = (whole_number(0), "a whole number, 0 or more")


class _Derived:
    """What is computed from the settings when it is first asked for. Each request asks for it."""

    __slots__ = ("_catalog", "_selected_model")
    _catalog: Catalog
    _selected_model: Model


@dataclass(frozen=True, slots=True)
class Settings(_Derived):
    """The settings in force: the environment wins over the file, and the file over the defaults.

    `model`, `background_model`, `models`, `aliases` and `fallback_models` depend on each other, so that `models.py`
    checks them together.
    """

    nvidia_url: str = setting(NVIDIA_URL, web_address, f'a web address such as "{NVIDIA_URL}"', "UPSTREAM_URL")
    addr: Address = setting(  # noqa: RUF009 (it returns a field)
        Address("127.0.0.1", 3001),
        lambda value: parse_address(text(value)),
        'an address such as "127.0.0.1:3001"',
        "ADDR",
    )
    model: str = GLM_4_7.id
    """The id of the model that the user selected."""
    background_model: str = ""
    """The id of the model that answers what no user waits for, such as titles, and sub-agents. NVIDIA's limits are per
    model, so that it brings a second allowance. Empty: the selected model answers them."""
    models: tuple[Model, ...] = ()
    """Models that the user added or corrected. In the file, each is an object with what differs."""
    model_order: tuple[str, ...] = setting((), *_IDS)
    """Ids of the models that are offered first, in this order. The others follow in their usual order."""
    hidden_models: tuple[str, ...] = setting((), *_IDS)
    """Ids of the models that are not offered. They still answer requests that name them, and in the place of others."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names of models, each with the id that it stands for."""
    fallback_models: tuple[str, ...] = ()
    """Ids of the models that answer, in this order, if the selected one refuses. Empty: its refusal is the answer."""
    clients_choose_model: bool = setting(False, *_SWITCH)
    """Tells whether a request is answered by the model that it names, instead of the selected one."""
    manual_mode: bool = setting(False, *_SWITCH)
    """Tells whether sessions that the launcher starts begin in manual mode: the user judges each risky command."""
    undo_all_sessions_at_quit: bool = setting(False, *_SWITCH)
    """Tells whether Claude Code's own settings become what they were before whenever this program quits."""
    follow_successors: bool = setting(True, *_SWITCH)
    """Tells whether another model answers if the asked one is retired or not served: a relative of it, or the best."""
    probe_models: bool = setting(True, *_SWITCH)
    """Tells whether small requests find out which models answer, where the user's own requests leave it open."""
    upstream_timeout_seconds: int = setting(
        300, whole_number(1), "a whole number of seconds, 1 or more", "UPSTREAM_TIMEOUT_SECONDS"
    )
    """Seconds that upstream may stay silent."""
    requests_per_minute: int = setting(40, *_COUNT)
    """The limit for each model; 0: none but NVIDIA's own. Its free tier takes about 40 (November 2026)."""
    allowed_origins: tuple[str, ...] = setting(
        (), origins, 'a list of origins such as "http://localhost:8080", each without a path'
    )
    """Origins of the web pages that may use the gateway."""
    serve_page: str = setting("local", *word("local", "always", "never"))
    """Says when browsers get the page. "local": if only programs on this machine can ask, and without a server key."""
    keep_history: bool = setting(True, *_SWITCH)
    """Tells whether requests are recorded in the history, without the text of prompts and answers."""
    history_days: int = setting(30, whole_number(1), "a whole number of days, 1 or more")
    """Days for which the records of requests are kept. Their sums per day are kept for ever."""
    log_bodies: bool = setting(False, *_SWITCH)
    """Tells whether request and answer bodies are written to the log."""
    log_body_max_chars: int = setting(4096, *_COUNT, "LOG_BODY_MAX_CHARS")
    log_stream_text_preview_chars: int = setting(256, *_COUNT, "LOG_STREAM_TEXT_PREVIEW_CHARS")
    nvidia_key: str = setting("", text, "text", "PROVIDER_API_KEY", "NVIDIA_API_KEY", is_secret=True)
    """The NVIDIA API key, if the system has no keyring. `keys.py` reads the environment and the keyring."""
    server_api_key: str = setting("", text, "text", "SERVER_API_KEY", is_secret=True)
    """The key that clients must send, if the system has no keyring."""

    @property
    def catalog(self) -> Catalog:
        """The catalog of models with the user's own models, aliases and fallbacks, and with every chosen model."""
        if not hasattr(self, "_catalog"):
            rows = join_rows(self.models, self.model_order)
            catalog = Catalog(rows, self.aliases, self.fallback_models, frozenset(map(plain_name, self.hidden_models)))
            object.__setattr__(self, "_catalog", catalog.with_listed((self.model, self.background_model)))
        return self._catalog

    @property
    def selected_model(self) -> Model:
        if not hasattr(self, "_selected_model"):
            object.__setattr__(self, "_selected_model", self.catalog.find(self.model) or GLM_4_7)
        return self._selected_model

    @property
    def background(self) -> Model | None:
        """The model of background requests and sub-agents; None: the selected one answers them."""
        return self.catalog.find(self.background_model) if self.background_model else None


ROWS = read_rows(Settings)
SECRETS = frozenset(name for name, row in ROWS.items() if row.is_secret)
