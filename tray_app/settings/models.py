"""Reads what the settings file says about models, and names each entry that is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from tray_app.catalog import (
    GLM_4_7,
    MODELS,
    Catalog,
    Model,
    find_model,
    first_letter,
    join_rows,
    plain_name,
    row_by_family,
)
from tray_app.errors import SettingsError
from tray_app.settings.checks import Check, one_of, switch, text, whole_number

MAX_ENTRIES = 200
"""The most entries that are read of each list. NVIDIA lists about 80 models; each entry is compared with all others."""
_NAMES = ("models", "aliases", "fallback_models")
_MAX_LABEL_CHARS = 40  # what fits into a menu
_ID = re.compile(r"[\w.:@/+-]+", re.ASCII)  # without any character that has a meaning in a shell


def read_model_list(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Returns the usable part of the three lists, and a sentence for each entry that is not usable."""
    problems: list[str] = []
    raw = {name: _shorten(name, value, problems) for name, value in raw.items() if name in _NAMES}
    rows = join_rows(listed := _read_models(raw.get("models", []), problems))
    aliases = _read_aliases(raw.get("aliases", {}), Catalog(rows), problems)
    fallbacks = _read_fallbacks(raw.get("fallback_models", []), Catalog(rows, aliases), problems)
    values = {"models": listed, "aliases": aliases, "fallback_models": fallbacks}
    return {name: value for name, value in values.items() if name in raw}, problems


def with_choice(entries: object, model_id: str) -> object:
    """Returns the entries of "models" with one for a model that the user chose, so that the menu goes on offering it.

    They stay as they are if the menu offers the model anyway, or if they are no list.
    """
    known = find_model(model_id)
    if not isinstance(entries, list) or (known and known.in_menu):
        return entries
    ids = {plain_name(entry["id"]) for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)}
    return entries if plain_name(model_id) in ids else [*entries, {"id": model_id}]


def chosen_model_check(catalog: Catalog, *, may_be_empty: bool = False) -> Check:
    """Returns the check for a chosen model. It is one of the catalog, or any other that NVIDIA may list."""

    def check(value: object) -> str:
        name = text(value)
        if may_be_empty and not name:
            return ""
        model = catalog.with_listed([name]).find(name)
        if model is None:
            raise ValueError
        return model.id

    wanted = one_of(model.id for model in catalog.models) + ', or another id of the form "vendor/name"'
    return check, f"{wanted}, or empty" if may_be_empty else wanted


def _shorten(name: str, value: object, problems: list[str]) -> object:
    """Returns the first MAX_ENTRIES entries of a list or an object, and any other value as it is."""
    if not isinstance(value, list | dict) or len(value) <= MAX_ENTRIES:
        return value
    problems.append(f'"{name}" has {len(value)} entries; the first {MAX_ENTRIES} are read.')
    return value[:MAX_ENTRIES] if isinstance(value, list) else dict(islice(value.items(), MAX_ENTRIES))


def _read_models(value: object, problems: list[str]) -> tuple[Model, ...]:
    if not isinstance(value, list):
        problems.append(f'"models" must be a list of objects such as {{"id": "{GLM_4_7.id}"}}, not {value!r}.')
        return ()
    rows: dict[str, Model] = {}
    for number, entry in enumerate(value, 1):
        try:
            row = _read_entry(entry, f"entry {number}")
        except SettingsError as error:
            problems.append(str(error))
            continue
        if plain_name(row.id) in rows:
            problems.append(f'"models": "{row.id}" is there twice.')
        else:
            rows[plain_name(row.id)] = row
    catalog = Catalog(join_rows(rows.values()))
    for row in rows.values():
        if row.successor and not catalog.find(row.successor):
            ids = one_of(other.id for other in catalog.rows)
            problems.append(f'"models": "successor" of "{row.id}" must be {ids}, not {row.successor!r}.')
    return tuple(rows.values())


def _read_entry(entry: object, where: str) -> Model:
    """Returns the model of one entry; SettingsError names the field that is wrong."""
    if not isinstance(entry, dict):
        raise SettingsError(f'"models": {where} must be an object such as {{"id": "{GLM_4_7.id}"}}, not {entry!r}.')
    facts: dict[str, Any] = {}
    for name, value in {"id": None, **entry}.items():  # the id comes first, because the errors name the entry by it
        if name not in FIELDS:
            raise SettingsError(f'"models": "{name}" of {where} is not known; there are {", ".join(FIELDS)}.')
        check, wanted = FIELDS[name]
        try:
            facts[name] = check(value)
        except ValueError:
            raise SettingsError(f'"models": "{name}" of {where} must be {wanted}, not {value!r}.') from None
        where = f'"{facts["id"]}"'
    return _make_row(facts)


def _make_row(facts: dict[str, Any]) -> Model:
    """Builds a model from the facts of an entry. Other facts come from the `like` model, else from the catalog.

    For an id that the catalog does not know, they are those of its family. The label, the letter and what is known of
    its retirement never come from `like`.
    """
    like, is_hidden = facts.pop("like", None), facts.pop("hidden", False)
    known = find_model(facts["id"])
    own = known or row_by_family(facts["id"], MODELS)
    label = facts.get("label") or own.label
    name = {
        "label": label,
        "letter": known.letter if known else first_letter(label),
        "successor": own.successor,
        "retired_on": own.retired_on,
        "source": own.source,
    }
    row = replace(like or own, in_menu=not is_hidden, **{**name, **facts, "id": own.id})
    # An answer cannot be longer than the context.
    return replace(row, max_output_tokens=min(row.max_output_tokens, row.context_tokens))


def _read_aliases(value: object, catalog: Catalog, problems: list[str]) -> dict[str, str]:
    if not isinstance(value, dict):
        problems.append(f'"aliases" must be an object such as {{"old/name": "{GLM_4_7.id}"}}, not {value!r}.')
        return {}
    aliases: dict[str, str] = {}
    names = {plain_name(name) for name in value}
    for name, target in value.items():
        row = catalog.find(target) if isinstance(target, str) else None
        if row is None or plain_name(row.id) in names:  # an alias never stands for another alias
            ids = one_of(row.id for row in catalog.rows if plain_name(row.id) not in names)
            problems.append(f'"aliases": "{name}" must stand for {ids}, not {target!r}.')
        else:
            aliases[plain_name(name)] = row.id
    return aliases


def _read_fallbacks(value: object, catalog: Catalog, problems: list[str]) -> tuple[str, ...]:
    if not isinstance(value, list):
        problems.append(f'"fallback_models" must be a list of ids such as ["{GLM_4_7.id}"], not {value!r}.')
        return ()
    found = {}
    for name in value:
        if isinstance(name, str) and (row := catalog.find(name)):
            found[row.id] = row
        else:
            ids = one_of(row.id for row in catalog.models)
            problems.append(f'"fallback_models": an entry must be {ids}, not {name!r}.')
    return tuple(found)


def _id(value: object) -> str:
    model_id = text(value)
    if not _ID.fullmatch(model_id):
        raise ValueError
    return model_id


def _known_row(value: object) -> Model:
    row = find_model(text(value))
    if row is None:
        raise ValueError
    return row


def _label(value: object) -> str:
    label = text(value)
    if not label or not label.isprintable() or len(label) > _MAX_LABEL_CHARS:
        raise ValueError
    return label


def _letter(value: object) -> str:
    letter = _label(value)
    if len(letter) != 1:
        raise ValueError
    return letter


_TOKENS: Check = (whole_number(1), "a whole number of tokens, 1 or more")
_SWITCH: Check = (switch, "true or false")

FIELDS: dict[str, Check] = {
    "id": (_id, f'an id such as "{GLM_4_7.id}"'),
    "like": (_known_row, one_of(model.id for model in MODELS)),
    "label": (_label, f"a name of 1 to {_MAX_LABEL_CHARS} characters"),
    "letter": (_letter, "one character"),
    "context_tokens": _TOKENS,
    "max_output_tokens": _TOKENS,
    "takes_images": _SWITCH,
    "takes_top_k": _SWITCH,
    "takes_json_schema": _SWITCH,
    "takes_required_tool_choice": _SWITCH,
    "successor": (text, "an id"),
    "hidden": _SWITCH,
}
"""What an entry may say, by the name in the file: the check for the value, and the description of the right values."""
