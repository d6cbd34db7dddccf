"""The settings: each is checked, and a sentence names a wrong one. README's table has the same rows."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from tray_app.catalog import MODELS
from tray_app.errors import SettingsError
from tray_app.settings.keys import NVIDIA_KEY, SERVER_KEY
from tray_app.settings.parsing import check_setting, default_file, parse_environment, parse_file
from tray_app.settings.settings import NVIDIA_URL, ROWS, SECRETS, Address, Settings, parse_address

URL = f'a web address such as "{NVIDIA_URL}"'
ADDRESS = 'an address such as "127.0.0.1:3001"'
MODEL = "one of " + ", ".join(f'"{model.id}"' for model in MODELS) + ', or another id of the form "vendor/name"'
SWITCH = "true or false"
SECONDS = "a whole number of seconds, 1 or more"
DAYS = "a whole number of days, 1 or more"
NUMBER = "a whole number, 0 or more"
ORIGINS = 'a list of origins such as "http://localhost:8080", each without a path'

PAGE = '"local", "always" or "never"'

WRONG = [
    ("nvidia_url", 5, URL),
    ("nvidia_url", "", URL),
    ("nvidia_url", "integrate.api.nvidia.com", URL),
    ("nvidia_url", "ftp://nvidia.com", URL),
    ("nvidia_url", "https://", URL),
    ("nvidia_url", "http://[::1", URL),
    ("nvidia_url", "http://localhost:99999/", URL),
    ("nvidia_url", "http://localhost:port/", URL),
    ("addr", None, ADDRESS),
    ("addr", 3001, ADDRESS),
    ("addr", "", ADDRESS),
    ("addr", "localhost", ADDRESS),
    ("addr", "localhost:", ADDRESS),
    ("addr", "localhost:65536", ADDRESS),
    ("addr", "localhost:-1", ADDRESS),
    ("addr", "localhost:٣٠٠١", ADDRESS),
    ("addr", "::1:3001", ADDRESS),
    ("addr", "[nonsense]:3001", ADDRESS),
    ("addr", "http://localhost:3001", ADDRESS),
    ("model", 1, MODEL),
    ("model", "", MODEL),
    ("model", "gpt-4", MODEL),
    ("background_model", "gpt-4", f"{MODEL}, or empty"),
    ("follow_successors", "no", SWITCH),
    ("probe_models", 0, SWITCH),
    ("clients_choose_model", "true", SWITCH),
    ("clients_choose_model", 1, SWITCH),
    ("manual_mode", "yes", SWITCH),
    ("undo_all_sessions_at_quit", "yes", SWITCH),
    ("upstream_timeout_seconds", 0, SECONDS),
    ("upstream_timeout_seconds", 1.5, SECONDS),
    ("upstream_timeout_seconds", "300", SECONDS),
    ("upstream_timeout_seconds", True, SECONDS),
    ("requests_per_minute", -1, NUMBER),
    ("requests_per_minute", 0.5, NUMBER),
    ("allowed_origins", None, ORIGINS),
    ("allowed_origins", "http://localhost:8080", ORIGINS),
    ("allowed_origins", [8080], ORIGINS),
    ("allowed_origins", ["http://localhost:8080", "localhost:3000"], ORIGINS),
    ("allowed_origins", ["http://localhost:8080/"], ORIGINS),
    ("allowed_origins", ["http://localhost:65536"], ORIGINS),
    ("allowed_origins", ["http://localhost:0"], ORIGINS),
    ("allowed_origins", ["http://localhost:"], ORIGINS),
    ("allowed_origins", ["http://*.example"], ORIGINS),
    ("allowed_origins", ["*"], ORIGINS),
    ("allowed_origins", ["null"], ORIGINS),
    ("allowed_origins", ["file://"], ORIGINS),
    ("serve_page", True, PAGE),
    ("serve_page", "Local", PAGE),
    ("serve_page", ["local"], PAGE),
    ("keep_history", "no", SWITCH),
    ("history_days", 0, DAYS),
    ("history_days", 1.5, DAYS),
    ("log_bodies", None, SWITCH),
    ("log_body_max_chars", -1, NUMBER),
    ("log_body_max_chars", [], NUMBER),
    ("log_stream_text_preview_chars", "many", NUMBER),
]


@pytest.mark.parametrize(("name", "value", "wanted"), WRONG, ids=[f"{name}={value}" for name, value, _ in WRONG])
def test_a_wrong_setting_is_named_and_left_at_its_default(name: str, value: Any, wanted: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_setting(name, value)
    assert str(caught.value) == f'"{name}" must be {wanted}, not {value!r}.'
    values, problems = parse_file({name: value, "log_bodies": False} if name != "log_bodies" else {name: value})
    assert problems == [str(caught.value)]
    assert name not in values


def test_origins_are_understood_as_browsers_write_them() -> None:
    written = ["HTTP://LocalHost:8080", " http://lab.example:80", "https://lab.example:443", "https://lab.example:80"]
    written += ["http://[::1]:8080", "chrome-extension://abcdefgh", "app://obsidian.md"]
    assert check_setting("allowed_origins", written) == (
        *("http://localhost:8080", "http://lab.example", "https://lab.example", "https://lab.example:80"),
        *("http://[::1]:8080", "chrome-extension://abcdefgh", "app://obsidian.md"),
    )


NO_NAME = "must not hold a user name or password"


@pytest.mark.parametrize(
    ("url", "error_text"),
    [
        ("http://user:word@localhost/", NO_NAME),
        ("https://word@localhost/v1", NO_NAME),
        ("https://:@localhost/v1", NO_NAME),
        ("ftp://user:word@localhost/", NO_NAME),
        ("http://user:word@localhost:99999/", NO_NAME),
        ("http://user:word@[::1", f"must be {URL}"),
        ("user:word@localhost/v1", f"must be {URL}"),
        ("https:/user:word@localhost/v1", f"must be {URL}"),
        ("localhost/v1?api_key=word", f"must be {URL}"),
        ("localhost/v1#word", f"must be {URL}"),
        ("nvapi-word-typed-into-the-wrong-line", f"must be {URL}"),
    ],
)
def test_an_address_that_may_hold_a_secret_is_refused_and_not_shown(url: str, error_text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_setting("nvidia_url", url)
    assert str(caught.value) == f'"nvidia_url" {error_text}.'
    with pytest.raises(SettingsError) as caught:
        parse_environment({"UPSTREAM_URL": url})
    assert str(caught.value) == f"The environment variable UPSTREAM_URL {error_text}."
    assert parse_file({"nvidia_url": url}) == ({}, [f'"nvidia_url" {error_text}.'])


def test_an_origin_with_a_user_name_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        check_setting("allowed_origins", ["http://user:word@localhost:8080"])
    assert str(caught.value) == f'"allowed_origins" must be {ORIGINS}.'


def test_an_address_may_hold_a_query() -> None:
    url = "https://gateway.example/v1/chat/completions?api-version=2026-11-01"
    assert check_setting("nvidia_url", url) == url


@pytest.mark.parametrize("name", ["nvidia_key", "server_api_key"])
def test_a_wrong_key_is_named_but_not_shown(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_setting(name, ["nvapi-secret"])
    assert str(caught.value) == f'"{name}" must be text.'


def test_every_wrong_setting_is_named_and_the_right_ones_are_used() -> None:
    values, problems = parse_file({"addr": "x", "model": "x", "log_bodies": True, "unknown": [1]})
    assert len(problems) == 2
    assert values == {"log_bodies": True}


def test_the_defaults_pass_their_own_checks() -> None:
    values, problems = parse_file(default_file())
    assert not problems
    assert Settings(**values) == Settings()


def test_a_new_file_has_no_place_for_keys() -> None:
    assert not {"nvidia_key", "server_api_key"} & set(default_file())


def test_keys_do_not_show_in_a_repr() -> None:
    assert "secret" not in repr(Settings(nvidia_key="secret", server_api_key="secret"))


@pytest.mark.parametrize(
    ("text", "address", "url", "is_loopback"),
    [
        ("127.0.0.1:3001", Address("127.0.0.1", 3001), "http://127.0.0.1:3001", True),
        (" localhost:80 ", Address("localhost", 80), "http://localhost:80", True),
        ("3001", Address("127.0.0.1", 3001), "http://127.0.0.1:3001", True),
        ("127.0.0.1:0", Address("127.0.0.1", 0), "http://127.0.0.1:0", True),
        ("[::1]:3001", Address("::1", 3001), "http://[::1]:3001", True),
        (":3001", Address("", 3001), "http://127.0.0.1:3001", False),
        ("0.0.0.0:3001", Address("0.0.0.0", 3001), "http://127.0.0.1:3001", False),
        ("[::]:3001", Address("::", 3001), "http://127.0.0.1:3001", False),
        ("192.168.1.7:3001", Address("192.168.1.7", 3001), "http://192.168.1.7:3001", False),
        ("my-machine.lan:3001", Address("my-machine.lan", 3001), "http://my-machine.lan:3001", False),
    ],
)
def test_an_address_is_understood(text: str, address: Address, url: str, is_loopback: bool) -> None:
    parsed = parse_address(text)
    assert (parsed, parsed.url, parsed.is_loopback) == (address, url, is_loopback)
    assert parse_address(str(parsed)) == parsed


@pytest.mark.parametrize(
    ("variable", "text", "values"),
    [
        ("UPSTREAM_URL", "http://localhost:8000/v1", {"nvidia_url": "http://localhost:8000/v1"}),
        ("ADDR", ":3001", {"addr": Address("", 3001)}),
        ("ADDR", "localhost:4000", {"addr": Address("localhost", 4000)}),
        ("UPSTREAM_TIMEOUT_SECONDS", " 60 ", {"upstream_timeout_seconds": 60}),
        ("LOG_BODY_MAX_CHARS", "100", {"log_body_max_chars": 100, "log_bodies": True}),
        ("LOG_BODY_MAX_CHARS", "0", {"log_body_max_chars": 0, "log_bodies": False}),
        ("LOG_STREAM_TEXT_PREVIEW_CHARS", "0", {"log_stream_text_preview_chars": 0}),
        ("ADDR", "", {}),
        ("MODEL", "nonsense of another program", {}),
    ],
)
def test_the_environment_overrides_a_setting(variable: str, text: str, values: dict[str, Any]) -> None:
    assert parse_environment({variable: text}) == values


@pytest.mark.parametrize(
    ("variable", "name", "text", "wanted", "value"),
    [
        ("UPSTREAM_TIMEOUT_SECONDS", "upstream_timeout_seconds", "60", "seconds, 1 or more", 60),
        ("ADDR", "addr", "3001", "a whole number, or a host and a port", Address("127.0.0.1", 3001)),
    ],
    ids=["number", "text"],
)
def test_the_wording_of_an_error_does_not_decide_how_a_variable_is_read(
    variable: str, name: str, text: str, wanted: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ROWS, name, replace(ROWS[name], wanted=wanted))
    assert parse_environment({variable: text}) == {name: value}


@pytest.mark.parametrize(
    ("variable", "text", "wanted"),
    [
        ("UPSTREAM_URL", "nvidia.com", URL),
        ("ADDR", "nonsense", ADDRESS),
        ("UPSTREAM_TIMEOUT_SECONDS", "5m", SECONDS),
        ("UPSTREAM_TIMEOUT_SECONDS", "0", SECONDS),
        ("UPSTREAM_TIMEOUT_SECONDS", "-5", SECONDS),
        ("UPSTREAM_TIMEOUT_SECONDS", "9" * 5_000, SECONDS),
        ("LOG_BODY_MAX_CHARS", "all", NUMBER),
        ("LOG_STREAM_TEXT_PREVIEW_CHARS", "-1", NUMBER),
    ],
    ids=["url", "address", "unit", "zero", "negative", "endless", "word", "minus one"],
)
def test_a_wrong_variable_is_named(variable: str, text: str, wanted: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_environment({variable: text})
    assert str(caught.value) == f"The environment variable {variable} must be {wanted}, not {text!r}."


README = Path(__file__).resolve().parents[2] / "README.md"


def read_table() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Returns each setting in the table of README.md, with its default and its environment variables."""
    text = README.read_text(encoding="utf-8")
    table = text[text.index("| key | default | environment | meaning |") :].partition("\n\n")[0]
    lines = [[cell.strip() for cell in line.split("|")[1:4]] for line in table.splitlines()[2:]]
    return {key.strip("`"): (default, tuple(re.findall(r"`(\w+)`", variables))) for key, default, variables in lines}


def test_the_table_in_the_readme_has_a_line_for_each_setting() -> None:
    assert set(read_table()) == {field.name for field in fields(Settings)} | {"needs_server_key"}


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_the_table_in_the_readme_tells_the_default_and_the_variables_of_a_setting(name: str) -> None:
    default, variables = read_table()[name]
    assert variables == (ROWS[name].variables if name in ROWS else ())
    if name in SECRETS:
        assert default == ""
    elif name == "nvidia_url":
        assert default == "NVIDIA's address"
    else:
        value = default_file()[name]
        assert default == f"`{value if value and isinstance(value, str) else json.dumps(value)}`"


def test_a_key_has_the_variables_of_its_setting() -> None:
    assert NVIDIA_KEY.variables == ("PROVIDER_API_KEY", "NVIDIA_API_KEY")
    assert SERVER_KEY.variables == ("SERVER_API_KEY",)
