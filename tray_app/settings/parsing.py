"""Reads settings from the JSON object of a file and from the environment, and names each one that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from tray_app.catalog import Catalog
from tray_app.errors import SettingsError
from tray_app.redaction import hide_secrets
from tray_app.settings.checks import Check, Refused
from tray_app.settings.models import chosen_model_check, read_model_list
from tray_app.settings.settings import ROWS, SECRETS, Address, Settings

VERSION = 1
"""The version of the file's layout. A file of claude-nvidia-proxy has none."""

_MAX_DIGITS = 18
"""The longest number that is read from a variable. Python refuses to read thousands of digits."""


def check_setting(name: str, value: object, catalog: Catalog | None = None) -> Any:
    """Returns the parsed value of one setting; SettingsError says which setting is wrong and what it must be.

    `catalog` has the models to choose from; None: those that come with the program.
    """
    return _check(f'"{name}"', name, value, repr(value), catalog)


def parse_file(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Returns the usable settings of a file's JSON object, and a sentence for each other one. Ignores unknown keys."""
    values, problems = read_model_list(raw)
    catalog = Settings(**values).catalog
    for name in ("model", "background_model", *ROWS):
        if name in raw:
            try:
                values[name] = check_setting(name, raw[name], catalog)
            except SettingsError as error:
                problems.append(str(error))
    return values, problems


def check_changes(raw: Mapping[str, Any], changes: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
    """Returns the changes of a file's JSON object as they are to be written, and a sentence for each wrong one.

    `changes` holds values as the file has them, by the names of the settings. None: the setting gets its default.
    """
    after = {name: value for name, value in {**raw, **changes}.items() if value is not None}
    lists, problems = read_model_list(after)
    errors = _assign_problems(problems, known=read_model_list(raw)[1], changes=changes)
    written = dict(changes)
    catalog = Settings(**lists).catalog
    for name in changes.keys() & {"model", "background_model", *ROWS}:
        if changes[name] is not None:
            try:
                written[name] = file_value(check_setting(name, changes[name], catalog))
            except SettingsError as error:
                errors[name] = str(error)
    return written, errors


def _assign_problems(problems: list[str], known: list[str], changes: Mapping[str, object]) -> dict[str, str]:
    """Returns each problem of the lists of models that the changes cause, by the setting whose change causes it."""
    changed = [name for name in ("models", "aliases", "fallback_models") if name in changes]
    errors: dict[str, str] = {}
    if changed:
        for problem in problems:
            if problem not in known:
                name = next((name for name in changed if problem.startswith(f'"{name}"')), changed[0])
                errors[name] = f"{errors.get(name, '')} {problem}".strip()
    return errors


def find_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment variable that sets each setting, by the name of the setting, without those of keys."""
    found: dict[str, str] = {}
    for name, row in ROWS.items():
        variable = next((variable for variable in row.variables if environ.get(variable, "").strip()), "")
        if variable and not row.is_secret:
            found[name] = variable
    if "log_body_max_chars" in found:  # As in claude-nvidia-proxy, setting this variable switches body logging.
        found["log_bodies"] = found["log_body_max_chars"]
    return found


def parse_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Returns the settings that the environment sets, without keys. SettingsError names the variable that is wrong."""
    values: dict[str, Any] = {}
    for name, variable in find_variables(environ).items():
        if name == "log_bodies":
            continue
        text = environ[variable].strip()
        is_number = ROWS[name].is_number and text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
        value = int(text) if is_number else text
        values[name] = _check(f"The environment variable {variable}", name, value, repr(text))
    if "log_body_max_chars" in values:
        values["log_bodies"] = values["log_body_max_chars"] > 0
    return values


def file_value(value: object) -> object:
    """Returns a setting in the form that the JSON file has. Models cannot be turned back into their entries."""
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Address) else value


def default_file() -> dict[str, object]:
    """Returns the JSON object of a new settings file: every setting but the keys, with its default."""
    defaults = Settings()
    names = (field.name for field in fields(Settings) if field.name not in SECRETS)
    return {"version": VERSION, **{name: file_value(getattr(defaults, name)) for name in names}}


def _check(subject: str, name: str, value: object, shown: str, catalog: Catalog | None = None) -> Any:
    """Returns the parsed value. The sentence of the SettingsError begins with `subject`.

    The sentence contains `shown`, unless a secret may be in it.
    """
    check, wanted = _find_check(name, catalog)
    try:
        return check(value)
    except Refused as refusal:
        raise SettingsError(f"{subject} {refusal}.") from None
    except ValueError:
        may_be_secret = name in SECRETS or hide_secrets(shown) != shown or any(mark in shown for mark in "@?#")
        raise SettingsError(f"{subject} must be {wanted}{'' if may_be_secret else f', not {shown}'}.") from None


def _find_check(name: str, catalog: Catalog | None) -> Check:
    if name in ("model", "background_model"):
        return chosen_model_check(catalog or Catalog(), may_be_empty=name == "background_model")
    row = ROWS[name]
    return row.check, row.wanted
