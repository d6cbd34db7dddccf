"""What the user chose: the settings, their defaults, and the checks that name a wrong one.

The names are the keys of the JSON file. `nvidia_url` and `nvidia_key` are those of claude-nvidia-proxy's config.json,
so that its file works here as it is.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from tray_app import catalog
from tray_app.errors import SettingsError

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
    model: str = catalog.GLM_4_7.id
    clients_choose_model: bool = False
    upstream_timeout_seconds: int = 300
    """How long upstream may stay silent."""
    requests_per_minute: int = 40
    """To each model; 0: no limit but NVIDIA's own. Its free tier takes about 40 (November 2026)."""
    log_bodies: bool = False
    log_body_max_chars: int = 4096
    log_stream_text_preview_chars: int = 256
    nvidia_key: str = field(default="", repr=False)
    """Only where the system has no keyring; see `keys`."""
    server_api_key: str = field(default="", repr=False)

    @property
    def selected_model(self) -> catalog.Model:
        return catalog.find_model(self.model) or catalog.GLM_4_7


SECRETS = frozenset({"nvidia_key", "server_api_key"})


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value.strip()


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _whole_number(minimum: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise ValueError
        return value

    return check


def _url(value: object) -> str:
    url = _text(value)
    parts = urlsplit(url)
    # a password in the address would stand where the API key goes; an impossible port raises ValueError by itself
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.port == 0:
        raise ValueError
    return url


def _model(value: object) -> str:
    model = catalog.find_model(_text(value))
    if model is None:
        raise ValueError
    return model.id


_MODEL_IDS = "one of " + ", ".join(f'"{model.id}"' for model in catalog.MODELS)

_CHECKS: dict[str, tuple[Callable[[object], Any], str]] = {
    "nvidia_url": (_url, f'a web address such as "{NVIDIA_URL}"'),
    "addr": (lambda value: parse_address(_text(value)), 'an address such as "127.0.0.1:3001"'),
    "model": (_model, _MODEL_IDS),
    "clients_choose_model": (_switch, "true or false"),
    "upstream_timeout_seconds": (_whole_number(1), "a whole number of seconds, 1 or more"),
    "requests_per_minute": (_whole_number(0), "a whole number, 0 or more"),
    "log_bodies": (_switch, "true or false"),
    "log_body_max_chars": (_whole_number(0), "a whole number, 0 or more"),
    "log_stream_text_preview_chars": (_whole_number(0), "a whole number, 0 or more"),
    "nvidia_key": (_text, "text"),
    "server_api_key": (_text, "text"),
}

# variable -> setting; claude-nvidia-proxy's names
_VARIABLES = {
    "UPSTREAM_URL": "nvidia_url",
    "ADDR": "addr",
    "UPSTREAM_TIMEOUT_SECONDS": "upstream_timeout_seconds",
    "LOG_BODY_MAX_CHARS": "log_body_max_chars",
    "LOG_STREAM_TEXT_PREVIEW_CHARS": "log_stream_text_preview_chars",
}


def check_setting(name: str, value: object) -> Any:
    """The parsed value of one setting; SettingsError says which setting is wrong and what it must be."""
    check, wanted = _CHECKS[name]
    try:
        return check(value)
    except ValueError:
        shown = "" if name in SECRETS else f", not {value!r}"
        raise SettingsError(f'"{name}" must be {wanted}{shown}.') from None


def parse_file(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The usable settings of a file's JSON object, and a sentence for each that is not. Unknown keys are ignored."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name in _CHECKS:
        if name in raw:
            try:
                values[name] = check_setting(name, raw[name])
            except SettingsError as error:
                problems.append(str(error))
    return values, problems


def parse_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the environment overrides; SettingsError names the variable that is wrong."""
    values: dict[str, Any] = {}
    for variable, name in _VARIABLES.items():
        text = environ.get(variable, "").strip()
        if not text:
            continue
        is_number = _CHECKS[name][1].startswith("a whole number")
        try:
            value: object = int(text) if is_number and text.isascii() and text.isdecimal() else text
            values[name] = check_setting(name, value)
        except (SettingsError, ValueError):  # ValueError: thousands of digits
            raise SettingsError(
                f"The environment variable {variable} must be {_CHECKS[name][1]}, not {text!r}."
            ) from None
    if "log_body_max_chars" in values:  # setting the variable switches body logging, as in claude-nvidia-proxy
        values["log_bodies"] = values["log_body_max_chars"] > 0
    return values


def file_value(value: object) -> object:
    """A setting as it stands in the JSON file."""
    return str(value) if isinstance(value, Address) else value


def default_file() -> dict[str, object]:
    """The JSON object of a new settings file: every setting with its default, but no place for keys."""
    defaults = Settings()
    named = {f.name: file_value(getattr(defaults, f.name)) for f in fields(Settings) if f.name not in SECRETS}
    return {"version": VERSION, **named}
