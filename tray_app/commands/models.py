"""The commands `models` and `model`: which models answer this user, and which one is chosen."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches

from tray_app.app.health import ModelHealth, read_model_health
from tray_app.app.instance import Instance
from tray_app.catalog import Catalog, Model, plain_name
from tray_app.commands.open_settings import open_settings
from tray_app.commands.terminal import FAILED, OK, complain, has_terminal, say
from tray_app.errors import SettingsError
from tray_app.paths import Paths
from tray_app.proxy.upstream.evidence import read_findings
from tray_app.settings.settings import Settings
from tray_app.shells import name_command
from tray_app.status.board import Status
from tray_app.status.findings import Findings
from tray_app.status.following import find_absence, find_catalog, label_choice
from tray_app.status.ranking import rank_models

_LOOK_S = 0.5
_MOST_LOOK_S = 1800.0
"""A look takes some minutes: each of about 80 models may be silent for half a minute, one after the other."""

_COLUMNS = ("NAME", "ANSWERS", "TOOLS", "IMAGES", "FIRST TOKEN", "WINDOW", "SUCCESSES", "RETIRED ON")


@dataclass(frozen=True, slots=True)
class Row:
    """One model of the table. The names of the fields are those of the JSON. None: it is not known."""

    id: str
    name: str
    answers: bool | None
    absence: str
    """Why it does not answer, such as "retired"; empty: nothing speaks against it."""
    calls_tools: bool | None
    takes_images: bool | None
    first_token_s: float | None
    """Median of the seconds from a request to the first token."""
    context_tokens: int
    asked: int
    """Number of requests in the last two weeks."""
    succeeded: int
    today: int
    retired_on: str
    """ISO date, or year and month; empty: it is not retired, or nobody knows since when."""
    is_hidden: bool
    """Tells whether the user has hidden it."""


def models(paths: Paths, environ: Mapping[str, str], *, probes: bool, as_json: bool) -> int:
    """Prints the models, those that answer first. With `probes`, the running app finds them out anew before that."""
    settings, instance = open_settings(paths, environ).current, Instance(paths.state)
    if probes and not _look_again(instance):
        return FAILED
    rows = list_rows(_find_status(paths, instance), settings)
    if as_json:
        say(json.dumps([asdict(row) for row in rows], indent=2))
        return OK
    for line in describe_rows(rows, settings.catalog):
        say(line)
    return OK


def model(paths: Paths, environ: Mapping[str, str], name: str | None) -> int:
    """Prints which model is chosen, or chooses the one of this id, label or alias. SettingsError if there is none."""
    store = open_settings(paths, environ)
    status = _find_status(paths, Instance(paths.state))
    if name is not None:
        store.update(model=find_named(name, find_catalog(status, store.current)).id)
        if not store.is_saved:
            complain(store.problem or "The settings file could not be written.")
            return FAILED
    say(label_choice(store.current.selected_model, status, store.current))
    return OK


def find_named(name: str, catalog: Catalog) -> Model:
    """Returns the model of this id, label or alias, whatever its case. SettingsError names those with a like name."""
    labels = {plain_name(row.label): row for row in reversed(catalog.models)}
    if found := catalog.find(name) or labels.get(plain_name(name)):
        return found
    names = [*labels, *(row.id for row in catalog.models)]
    like = get_close_matches(plain_name(name), names, n=3)
    hint = f" Did you mean {' or '.join(like)}?" if like else ""
    raise SettingsError(f'There is no model "{name}".{hint} `{name_command("models")}` lists them.')


def list_rows(status: Status, settings: Settings) -> list[Row]:
    """Returns the rows of all models that are known: those that answer, best first, then the others."""
    catalog = find_catalog(status, settings)
    ranked = rank_models(catalog, status.findings)
    ids = {model.id for model in ranked}
    models = (*ranked, *(row for row in catalog.models if row.id not in ids))
    return [_make_row(model, status, is_hidden=catalog.is_hidden(model)) for model in models]


def describe_rows(rows: list[Row], catalog: Catalog) -> Iterator[str]:
    """Yields the lines of the table: the models that answer, and the catalog's others. The rest is only counted."""
    known = {row.id for row in catalog.models}
    hidden = sum(row.is_hidden for row in rows)
    shown = [row for row in rows if (row.answers or row.id in known) and not row.is_hidden]
    lines = [_COLUMNS, *(_describe(row) for row in shown)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
    if hidden:
        yield f'{hidden} more that you have hidden ("hidden_models" in the settings).'
    if others := len(rows) - len(shown) - hidden:
        yield f"{others} more that NVIDIA lists do not answer you, or nobody has asked them yet (--json has them all)."
    if not any(row.answers is not None for row in rows):
        yield f"Nothing was found out yet. `{name_command('models', '--probe')}` has the running app ask each model."


def _make_row(model: Model, status: Status, *, is_hidden: bool) -> Row:
    finding, absence = status.findings.find(model.id), find_absence(model, status)
    date = absence.date if absence else ""
    return Row(
        id=model.id,
        name=model.label,
        answers=finding.answers,
        absence=absence.kind.value if absence else "",
        calls_tools=finding.calls_tools,
        takes_images=finding.sees_images(model),
        first_token_s=finding.first_token_s,
        context_tokens=model.context_tokens,
        asked=finding.asked,
        succeeded=finding.succeeded,
        today=finding.today,
        retired_on="" if finding.answers else date or model.retired_on,
        is_hidden=is_hidden,
    )


def _describe(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        row.absence or _say(row.answers),
        _say(row.calls_tools),
        _say(row.takes_images),
        "" if row.first_token_s is None else f"{row.first_token_s:.1f} s",
        f"{row.context_tokens:,}",
        f"{row.succeeded} of {row.asked}" if row.asked else "",
        row.retired_on,
    )


def _say(fact: bool | None) -> str:
    return {True: "yes", False: "no", None: "?"}[fact]


def _find_status(paths: Paths, instance: Instance) -> Status:
    """Returns what the running app knows of the models; without one, what the last one has kept on disk."""
    health = _ask(instance)
    if health is None:
        return Status(findings=read_findings(paths.state, time.time()))
    return Status(findings=Findings(health.findings), listed_models=frozenset(health.listed))


def _ask(instance: Instance) -> ModelHealth | None:
    running = instance.find_running()
    return read_model_health(running.url) if running and running.url else None


def _look_again(instance: Instance) -> bool:
    """Has the running app look again, and returns when it is done. Returns False, and says why, if that fails."""
    before = _ask(instance)
    if before is None:
        complain(f"The app is not running, and only it asks the models. `{name_command('start')}` starts it.")
        return False
    wanted = before.look.finished + (1 if before.look.left is None else 2)  # a look that runs ends first
    instance.ask_to_look()
    deadline_s, told = time.monotonic() + _MOST_LOOK_S, ""
    while (health := _ask(instance)) and health.look.finished < wanted and time.monotonic() < deadline_s:
        if (line := _describe_look(health)) != told:
            told = line
            if has_terminal():
                say(line)
        time.sleep(_LOOK_S)
    if health is None or health.look.finished < wanted:
        complain("The app did not come to an end with its look. The table shows what is known so far.")
    return True


def _describe_look(health: ModelHealth) -> str:
    answering = sum(finding.answers is True for finding in health.findings.values())
    left = "" if health.look.left is None else f", {health.look.left} still to be asked"
    return f"{answering} models answer{left} …"
