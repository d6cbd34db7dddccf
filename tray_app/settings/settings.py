"""What the user chose: the settings, their defaults, and the checks that name a wrong one.

The names are the keys of the JSON file. `nvidia_url` and `nvidia_key` are those of claude-nvidia-proxy's config.json,
so that its file works here as it is.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from tray_app.catalog import GLM_4_7, Catalog, Model, join_rows
from tray_app.errors import SettingsError
from tray_app.redaction import hide_secrets
from tray_app.settings.checks import Check, Refused, one_of, origins, switch, text, whole_number
from tray_app.settings.models import read_model_list

VERSION = 1
"""Of the file's layout. A file without a version is claude-nvidia-proxy's."""

NVIDIA_URL = "https://integrate.api.nvidia.com/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the gateway listens. An empty host means every network interface, as in Go's `:3001`."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def url(self) -> str:
        """Where a client on this machine reaches the gateway."""
        reachable = "127.0.0.1" if self.host in ("", "0.0.0.0", "::") else self.host
        return f"http://{Address(reachable, self.port)}"


def parse_address(text: str) -> Address:
    """`host:port`, `[ipv6]:port`, `:port` (every interface) or a bare port (loopback); ValueError for anything else."""
    text = text.strip()
    host, colon, port = text.rpartition(":")
    if not colon:
        host = "127.0.0.1"
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
        ipaddress.IPv6Address(host)
    # isdecimal alone admits digits of other scripts; port 0 asks the system for a free one
    if (
        not (port.isascii() and port.isdecimal() and int(port) <= 65535)
        or (":" in host and not bracketed)
        or "/" in host
    ):
        raise ValueError(text)
    return Address(host, int(port))


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force: defaults, then the file, then the environment."""

    nvidia_url: str = NVIDIA_URL
    addr: Address = Address("127.0.0.1", 3001)
    model: str = GLM_4_7.id
    models: tuple[Model, ...] = ()
    """Rows of the user's own, and in the place of known ones; in the file, objects with what differs."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Another name -> the id that it stands for."""
    fallback_models: tuple[str, ...] = ()
    """Ids of the models that answer, in this order, where the chosen one refuses; none: its refusal is the answer."""
    clients_choose_model: bool = False
    upstream_timeout_seconds: int = 300
    """How long upstream may stay silent."""
    requests_per_minute: int = 40
    """To each model; 0: no limit but NVIDIA's own. Its free tier takes about 40 (November 2026)."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of the web pages that may use the gateway, beside pages of its own."""
    log_bodies: bool = False
    log_body_max_chars: int = 4096
    log_stream_text_preview_chars: int = 256
    nvidia_key: str = field(default="", repr=False)
    """Only where the system has no keyring; see `keys`."""
    server_api_key: str = field(default="", repr=False)

    @property
    def catalog(self) -> Catalog:
        return Catalog(join_rows(self.models), self.aliases, self.fallback_models)

    @property
    def selected_model(self) -> Model:
        return self.catalog.find(self.model) or GLM_4_7


SECRETS = frozenset({"nvidia_key", "server_api_key"})


def _url(value: object) -> str:
    url = text(value)
    parts = urlsplit(url)
    if parts.username is not None:  # it would be sent in the place of the API key
        raise Refused("must not hold a user name or password")
    # an impossible port raises ValueError by itself
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError
    return url


_CHECKS: dict[str, Check] = {
    "nvidia_url": (_url, f'a web address such as "{NVIDIA_URL}"'),
    "addr": (lambda value: parse_address(text(value)), 'an address such as "127.0.0.1:3001"'),
    "clients_choose_model": (switch, "true or false"),
    "upstream_timeout_seconds": (whole_number(1), "a whole number of seconds, 1 or more"),
    "requests_per_minute": (whole_number(0), "a whole number, 0 or more"),
    "allowed_origins": (origins, 'a list of origins such as "http://localhost:8080", each without a path'),
    "log_bodies": (switch, "true or false"),
    "log_body_max_chars": (whole_number(0), "a whole number, 0 or more"),
    "log_stream_text_preview_chars": (whole_number(0), "a whole number, 0 or more"),
    "nvidia_key": (text, "text"),
    "server_api_key": (text, "text"),
}

# variable -> setting; claude-nvidia-proxy's names
_VARIABLES = {
    "UPSTREAM_URL": "nvidia_url",
    "ADDR": "addr",
    "UPSTREAM_TIMEOUT_SECONDS": "upstream_timeout_seconds",
    "LOG_BODY_MAX_CHARS": "log_body_max_chars",
    "LOG_STREAM_TEXT_PREVIEW_CHARS": "log_stream_text_preview_chars",
}
_MAX_DIGITS = 18
"""Of a number in a variable; Python refuses to read thousands of them."""


def _model_check(catalog: Catalog) -> Check:
    def check(value: object) -> str:
        model = catalog.find(text(value))
        if model is None:
            raise ValueError
        return model.id

    return check, one_of(model.id for model in catalog.models) + ', or an id that "models" lists'


def check_setting(name: str, value: object, catalog: Catalog | None = None) -> Any:
    """The parsed value of one setting; SettingsError says which setting is wrong and what it must be.

    `catalog` has the models to choose from; None: those that come with the program.
    """
    return _check(f'"{name}"', name, value, repr(value), catalog)


def _check(subject: str, name: str, value: object, shown: str, catalog: Catalog | None = None) -> Any:
    """The parsed value; the sentence of the SettingsError begins with `subject`, and shows what is no secret."""
    check, wanted = _model_check(catalog or Catalog()) if name == "model" else _CHECKS[name]
    try:
        return check(value)
    except Refused as refusal:
        raise SettingsError(f"{subject} {refusal}.") from None
    except ValueError:
        may_be_secret = name in SECRETS or hide_secrets(shown) != shown or any(mark in shown for mark in "@?#")
        raise SettingsError(f"{subject} must be {wanted}{'' if may_be_secret else f', not {shown}'}.") from None


def parse_file(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The usable settings of a file's JSON object, and a sentence for each that is not. Unknown keys are ignored."""
    values, problems = read_model_list(raw)
    catalog = Settings(**values).catalog
    for name in ("model", *_CHECKS):
        if name in raw:
            try:
                values[name] = check_setting(name, raw[name], catalog)
            except SettingsError as error:
                problems.append(str(error))
    return values, problems


def parse_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the environment overrides; SettingsError names the variable that is wrong."""
    values: dict[str, Any] = {}
    defaults = Settings()
    for variable, name in _VARIABLES.items():
        text = environ.get(variable, "").strip()
        if not text:
            continue
        is_number = type(getattr(defaults, name)) is int and text.isascii() and text.isdecimal()
        value = int(text) if is_number and len(text) <= _MAX_DIGITS else text
        values[name] = _check(f"The environment variable {variable}", name, value, repr(text))
    if "log_body_max_chars" in values:  # setting the variable switches body logging, as in claude-nvidia-proxy
        values["log_bodies"] = values["log_body_max_chars"] > 0
    return values


def file_value(value: object) -> object:
    """A setting as it stands in the JSON file; rows of models have no way back."""
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Address) else value


def default_file() -> dict[str, object]:
    """The JSON object of a new settings file: every setting with its default, but no place for keys."""
    defaults = Settings()
    named = {f.name: file_value(getattr(defaults, f.name)) for f in fields(Settings) if f.name not in SECRETS}
    return {"version": VERSION, **named}
