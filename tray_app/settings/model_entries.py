"""Changes the entries of "models" in the settings file. An entry is an object with an id, and with what differs.

The functions are pure. They take entries as the file has them, and leave all that they do not change as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tray_app.catalog import find_model, plain_name
from tray_app.errors import SettingsError
from tray_app.settings.models import FIELDS

Entries = list[Any]


def correct_model(entries: Entries, model_id: str, facts: Mapping[str, object]) -> Entries:
    """Returns the entries with these facts for a model. None: the fact is again what the program knows of the model.

    The model stays in the menu, or out of it, as it was.
    """
    before = _find(entries, model_id) or {"id": model_id, "hidden": not _is_in_menu(model_id)}
    changed = {**before, **facts}
    return _put(entries, {name: value for name, value in changed.items() if value is not None})


def put_in_menu(entries: Entries, model_id: str, *, is_in: bool) -> Entries:
    """Returns the entries with which the menu offers the model, or no longer does."""
    before = _find(entries, model_id) or {"id": model_id}
    return _put(entries, {**before, "hidden": not is_in})


def find_wrong_facts(model_id: str, facts: Mapping[str, object]) -> dict[str, str]:
    """Returns what each wrong fact must be, in a sentence, by the name of the fact. None is right for each of them."""
    problems = {}
    for name, value in facts.items():
        if name not in FIELDS:
            raise SettingsError(f'"{name}" of {model_id} is not known; there are {", ".join(FIELDS)}.')
        check, wanted = FIELDS[name]
        try:
            if value is not None:
                check(value)
        except ValueError:
            problems[name] = f"This must be {wanted}."
    return problems


def _find(entries: Entries, model_id: str) -> dict[str, Any] | None:
    return next((entry for entry in entries if _names(entry, model_id)), None)


def _names(entry: object, model_id: str) -> bool:
    found = entry.get("id") if isinstance(entry, dict) else None
    return isinstance(found, str) and plain_name(found) == plain_name(model_id)


def _put(entries: Entries, entry: dict[str, Any]) -> Entries:
    """Returns the entries with this one for its model. An entry that says nothing is left out."""
    model_id = entry["id"]
    if entry.get("hidden") is False:
        entry = {name: value for name, value in entry.items() if name != "hidden"}
    is_hidden, says_more = bool(entry.get("hidden")), entry.keys() - {"id", "hidden"}
    says_nothing = not says_more and is_hidden is not _is_in_menu(model_id)
    replaced = [entry if _names(old, model_id) else old for old in entries]
    if entry not in replaced:
        replaced.append(entry)
    return [old for old in replaced if not (says_nothing and old is entry)]


def _is_in_menu(model_id: str) -> bool:
    """Tells whether the menu offers the model without an entry."""
    known = find_model(model_id)
    return known is not None and known.in_menu
