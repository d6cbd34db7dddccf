"""The models in a settings file: each entry becomes a model, or a sentence names what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tray_app.catalog import GLM_4_7, GLM_5_3, GLM_5_3_FLASH, GPT_OSS_20B, KIMI_K3, MODELS, UNKNOWN, Model
from tray_app.settings.models import MAX_ENTRIES, read_model_list
from tray_app.settings.parsing import parse_file
from tray_app.settings.settings import Settings

KNOWN = "one of " + ", ".join(f'"{model.id}"' for model in MODELS)
TOKENS = "a whole number of tokens, 1 or more"
FIELDS = (
    "id, like, label, letter, context_tokens, max_output_tokens, takes_images, takes_top_k, takes_json_schema, "
    "takes_required_tool_choice, successor, hidden"
)


def read(**raw: Any) -> Settings:
    """Returns the settings of a file without mistakes."""
    values, problems = parse_file(raw)
    assert problems == []
    return Settings(**values)


ENTRIES: list[tuple[str, dict[str, Any], Model]] = [
    ("a known one, for the menu", {"id": "moonshotai/kimi-k3"}, replace(KIMI_K3, in_menu=True)),
    (
        "a known one, corrected",
        {"id": "Z-AI/GLM4.7", "label": "GLM", "context_tokens": 200_000},
        replace(GLM_4_7, label="GLM", context_tokens=200_000),
    ),
    (
        "a smaller window",
        {"id": "z-ai/glm4.7", "context_tokens": 65_536},
        replace(GLM_4_7, context_tokens=65_536, max_output_tokens=65_536),
    ),
    ("a known one, hidden", {"id": "z-ai/glm4.7", "hidden": True}, replace(GLM_4_7, in_menu=False)),
    (
        "a known one with the quirks of another",
        {"id": "z-ai/glm4.7", "like": "z-ai/glm-5.3"},
        replace(GLM_5_3, id="z-ai/glm4.7", label="GLM 4.7", retired_on=GLM_4_7.retired_on, in_menu=True),
    ),
    (
        "a known one with a successor",
        {"id": "z-ai/glm4.7", "successor": "z-ai/glm-5.2"},
        replace(GLM_4_7, successor="z-ai/glm-5.2"),
    ),
    (
        "an unknown one of a known family",
        {"id": "z-ai/glm-6"},
        replace(GLM_5_3_FLASH, id="z-ai/glm-6", label="GLM 6", takes_images=False, in_menu=True),
    ),
    (
        "an unknown one",
        {"id": " Lab/own-1 "},
        replace(UNKNOWN, id="Lab/own-1", label="Own 1", letter="O", in_menu=True),
    ),
    (
        "an unknown one like a known one",
        {"id": "lab/own", "like": "moonshotai/kimi-k3", "label": "«Eigenes»", "max_output_tokens": 9},
        replace(KIMI_K3, id="lab/own", label="«Eigenes»", letter="E", max_output_tokens=9, retired_on="", in_menu=True),
    ),
    (
        "an unknown one, in full",
        {
            "id": "own",
            "label": "Own",
            "letter": "x",
            "context_tokens": 10,
            "max_output_tokens": 5,
            "takes_images": True,
            "takes_top_k": True,
            "takes_json_schema": True,
            "takes_required_tool_choice": True,
            "successor": "z-ai/glm-5.3",
            "hidden": False,
        },
        Model(
            "own",
            "Own",
            "x",
            context_tokens=10,
            max_output_tokens=5,
            takes_images=True,
            takes_top_k=True,
            takes_json_schema=True,
            takes_required_tool_choice=True,
            earlier_thinking=UNKNOWN.earlier_thinking,
            successor="z-ai/glm-5.3",
            in_menu=True,
        ),
    ),
    ("only an author", {"id": "lab/"}, replace(UNKNOWN, id="lab/", label="lab/", letter="L", in_menu=True)),
]


@pytest.mark.parametrize(("entry", "row"), [case[1:] for case in ENTRIES], ids=[case[0] for case in ENTRIES])
def test_an_entry_becomes_a_row(entry: dict[str, Any], row: Model) -> None:
    settings = read(models=[entry])
    assert settings.models == (row,)
    assert settings.catalog.find(row.id) == row


def test_a_model_of_the_list_can_be_chosen_and_be_a_fallback() -> None:
    settings = read(
        models=[{"id": "lab/own"}, {"id": "lab/other", "successor": "lab/own"}],
        model="LAB/Own",
        aliases={"claude-haiku-5-5": "lab/own", "Z-ai/GLM4.7[1m]": "lab/other"},
        fallback_models=["lab/other", "z-ai/glm4.7", "moonshotai/kimi-k3"],
    )
    assert settings.selected_model.id == "lab/own"
    assert settings.aliases == {"claude-haiku-5-5": "lab/own", "z-ai/glm4.7": "lab/other"}
    assert settings.fallback_models == ("lab/other", "moonshotai/kimi-k3")
    catalog = settings.catalog
    assert [model.id for model in catalog.fallbacks(settings.selected_model, ())] == [*settings.fallback_models]


def test_a_chosen_model_follows_its_alias() -> None:
    assert read(aliases={"z-ai/glm4.7": "z-ai/glm-5.2"}).selected_model.id == "z-ai/glm-5.2"
    settings = read(aliases={"old/name": "moonshotai/kimi-k3"}, model="old/name")
    assert settings.model == "moonshotai/kimi-k3"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"models": 5}, '"models" must be a list of objects such as {"id": "z-ai/glm4.7"}, not 5.'),
    ({"models": {"id": "x"}}, '"models" must be a list of objects such as {"id": "z-ai/glm4.7"}, not {\'id\': \'x\'}.'),
    ({"models": ["x"]}, '"models": entry 1 must be an object such as {"id": "z-ai/glm4.7"}, not \'x\'.'),
    ({"models": [{}]}, '"models": "id" of entry 1 must be an id such as "z-ai/glm4.7", not None.'),
    (
        {"models": [{"id": "ok"}, {"id": "no id"}]},
        '"models": "id" of entry 2 must be an id such as "z-ai/glm4.7", not \'no id\'.',
    ),
    ({"models": [{"id": "x[1m]"}]}, '"models": "id" of entry 1 must be an id such as "z-ai/glm4.7", not \'x[1m]\'.'),
    ({"models": [{"id": ""}]}, '"models": "id" of entry 1 must be an id such as "z-ai/glm4.7", not \'\'.'),
    ({"models": [{"window": 5, "id": "x"}]}, f'"models": "window" of "x" is not known; there are {FIELDS}.'),
    (
        {"models": [{"context_tokens": "1m", "id": "x"}]},
        f'"models": "context_tokens" of "x" must be {TOKENS}, not \'1m\'.',
    ),
    (
        {"models": [{"id": "x", "max_output_tokens": 0}]},
        f'"models": "max_output_tokens" of "x" must be {TOKENS}, not 0.',
    ),
    (
        {"models": [{"id": "x", "label": "a\nb"}]},
        '"models": "label" of "x" must be a name of 1 to 40 characters, not \'a\\nb\'.',
    ),
    (
        {"models": [{"id": "x", "label": " "}]},
        '"models": "label" of "x" must be a name of 1 to 40 characters, not \' \'.',
    ),
    ({"models": [{"id": "x", "letter": "XY"}]}, '"models": "letter" of "x" must be one character, not \'XY\'.'),
    ({"models": [{"id": "x", "takes_images": 1}]}, '"models": "takes_images" of "x" must be true or false, not 1.'),
    ({"models": [{"id": "x", "like": "y"}]}, f'"models": "like" of "x" must be {KNOWN}, not \'y\'.'),
    ({"models": [{"id": "x", "successor": 5}]}, '"models": "successor" of "x" must be an id, not 5.'),
    ({"models": [{"id": "ok"}, {"id": "OK"}]}, '"models": "OK" is there twice.'),
    ({"aliases": []}, '"aliases" must be an object such as {"old/name": "z-ai/glm4.7"}, not [].'),
    ({"aliases": {"x": "y"}}, f'"aliases": "x" must stand for {KNOWN}, not \'y\'.'),
    ({"aliases": {"x": None}}, f'"aliases": "x" must stand for {KNOWN}, not None.'),
    ({"fallback_models": "x"}, '"fallback_models" must be a list of ids such as ["z-ai/glm4.7"], not \'x\'.'),
    ({"fallback_models": ["z-ai/glm4.7", "x"]}, f"\"fallback_models\": an entry must be {KNOWN}, not 'x'."),
    ({"fallback_models": [None]}, f'"fallback_models": an entry must be {KNOWN}, not None.'),
]


@pytest.mark.parametrize(("raw", "problem"), WRONG, ids=[str(raw) for raw, _ in WRONG])
def test_a_wrong_entry_is_named_and_the_rest_is_used(raw: Mapping[str, Any], problem: str) -> None:
    values, problems = parse_file({**raw, "log_bodies": True})
    assert problems == [problem]
    assert values["log_bodies"] is True
    settings = Settings(**values)
    assert [row.id for row in settings.models] in ([], ["ok"])
    assert settings.aliases == {}
    assert settings.fallback_models in ((), ("z-ai/glm4.7",))


def test_an_unknown_successor_is_named_and_the_model_is_used() -> None:
    values, problems = parse_file({"models": [{"id": "z-ai/glm4.7", "successor": "x"}]})
    assert problems == [f'"models": "successor" of "z-ai/glm4.7" must be {KNOWN}, not \'x\'.']
    assert [row.id for row in Settings(**values).models] == ["z-ai/glm4.7"]


def test_an_alias_of_another_alias_is_named() -> None:
    _, problems = parse_file({"aliases": {"z-ai/glm4.7": "Z-AI/glm4.7", "a": "z-ai/glm4.7", "b": "z-ai/glm-5.2"}})
    assert [problem.split(" must ")[0] for problem in problems] == ['"aliases": "z-ai/glm4.7"', '"aliases": "a"']


def test_a_model_that_no_row_knows_can_be_chosen_because_nvidia_may_list_it() -> None:
    settings = read(model="z-ai/glm-6", background_model="lab/own")
    assert settings.selected_model == replace(
        GLM_5_3_FLASH, id="z-ai/glm-6", label="GLM 6", takes_images=False, in_menu=False
    )
    assert settings.background == replace(UNKNOWN, id="lab/own", label="Own", letter="O")
    assert settings.catalog.offered(settings.selected_model)[-1].id == "z-ai/glm-6"


def test_a_name_that_nvidia_would_not_list_cannot_be_chosen() -> None:
    for name in ("own", "lab/own model", "nvidia/nv-embedqa-e5-v5"):
        _, problems = parse_file({"model": name})
        assert problems == [f'"model" must be {KNOWN}, or another id of the form "vendor/name", not {name!r}.']


def test_the_background_model_is_an_id_or_an_alias_of_the_catalog_or_none() -> None:
    assert read(background_model="").background is None
    assert read(background_model="Z-AI/GLM4.7").background_model == "z-ai/glm4.7"
    assert read(background_model="small", aliases={"small": "openai/gpt-oss-20b"}).background == GPT_OSS_20B
    _, problems = parse_file({"background_model": 5})
    assert problems == [
        f'"background_model" must be {KNOWN}, or another id of the form "vendor/name", or empty, not 5.'
    ]


def test_the_example_in_the_readme_is_right() -> None:
    text = Path(__file__).resolve().parents[2].joinpath("README.md").read_text(encoding="utf-8")
    example = text.split("```json\n")[1].split("```")[0]
    settings = read(**json.loads(f"{{{example}}}"))
    assert [model.label for model in settings.catalog.offered(settings.selected_model)] == [
        "GLM 4.7",
        "GLM 5.3",
        "New Model",
    ]


@pytest.mark.parametrize("name", ["models", "aliases", "fallback_models"])
def test_a_list_is_read_up_to_its_limit(name: str) -> None:
    ids = [f"lab/model-{n}" for n in range(MAX_ENTRIES + 1)]
    known = GLM_4_7.id
    value: Any = {"models": [{"id": model_id} for model_id in ids], "aliases": dict.fromkeys(ids, known)}.get(
        name, [known] * len(ids)
    )
    values, problems = read_model_list({name: value})
    assert problems == [f'"{name}" has {MAX_ENTRIES + 1} entries; the first {MAX_ENTRIES} are read.']
    assert len(values[name]) == (1 if name == "fallback_models" else MAX_ENTRIES)
