"""The models of one user: the rows that come with the program, the user's own, and those that NVIDIA lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from tray_app.catalog.families import family_of, make_row
from tray_app.catalog.model import Model
from tray_app.catalog.names import is_chat_model, plain_name
from tray_app.catalog.rows import DEFAULTS, MODELS


def join_rows(own_rows: Iterable[Model], order: Iterable[str] = ()) -> tuple[Model, ...]:
    """Returns all rows: the defaults, the user's own, then the rest. A row of the user replaces one with its id.

    The rows whose ids are in `order` come before all others, and in that order.
    """
    added = {model.id: model for model in own_rows}
    defaults = [added.pop(model.id, model) for model in DEFAULTS]
    rest = [model for model in MODELS if model not in DEFAULTS and model.id not in added]
    rows = (*defaults, *added.values(), *rest)
    places = {plain_name(model_id): place for place, model_id in enumerate(order)}
    return tuple(sorted(rows, key=lambda row: places.get(plain_name(row.id), len(places))))


@lru_cache(maxsize=1024)
def _plain_id(row_id: str) -> str:
    """Returns the plain name of a row's id. Each request is compared with all of them, several times."""
    return plain_name(row_id)


@dataclass(frozen=True, slots=True)
class Catalog:
    """The models of one user: the rows, and the settings for aliases and fallback models."""

    rows: tuple[Model, ...] = MODELS
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Plain name -> id of the row that it stands for. It takes precedence over a row of that name."""
    fallback_ids: tuple[str, ...] = ()
    """Ids of the models that answer if another one cannot, in their order."""
    hidden: frozenset[str] = frozenset()
    """Plain names of the models that are not offered to the user. They answer if they are named, or stand in."""

    @property
    def models(self) -> tuple[Model, ...]:
        """Returns all rows that can be chosen, which are those that no alias replaces."""
        return tuple(row for row in self.rows if plain_name(row.id) not in self.aliases)

    @property
    def shown(self) -> tuple[Model, ...]:
        """Returns the rows that can be chosen, without the hidden ones."""
        return tuple(row for row in self.models if not self.is_hidden(row))

    def is_hidden(self, model: Model) -> bool:
        """Tells whether the user does not want to be offered the model."""
        return plain_name(model.id) in self.hidden

    def find(self, name: str) -> Model | None:
        """Returns the model that a name stands for; None if there is none."""
        plain = plain_name(name)
        plain = plain_name(self.aliases.get(plain, plain))
        return next((row for row in self.rows if _plain_id(row.id) == plain), None)

    def resolve(self, asked: str, selected: Model, *, client_chooses: bool) -> Model:
        """Returns the model that answers a request for the name `asked`.

        The user's choice in the tray decides, so that a click also switches running sessions. If clients may choose, a
        name of the catalog counts, and any other name (such as `claude-*`) stands for the selected model.
        """
        if client_chooses:
            return self.find(asked) or selected
        return selected

    def offered(self, selected: Model) -> tuple[Model, ...]:
        """Returns the models of the menu without the hidden ones, and the selected one if it is not among them."""
        offered: list[Model] = []
        for row in (*(row for row in self.rows if row.in_menu), selected):
            model = self.find(row.id) or row
            if model not in offered and (row is selected or model == selected or not self.is_hidden(model)):
                offered.append(model)
        return tuple(offered)

    def with_listed(self, ids: Iterable[str]) -> Catalog:
        """Returns this catalog with rows for the ids of chat models that NVIDIA lists and no row knows.

        The new rows are the last ones, in the order of their ids, and are made from the rows of their families.
        """
        known = {plain_name(row.id) for row in self.rows}
        new = {plain_name(model_id): model_id for model_id in sorted(ids) if is_chat_model(model_id)}
        if new.keys() <= known:
            return self
        families = defaultdict[str, list[Model]](list)
        for row in self.rows:
            families[family_of(row.id)].append(row)
        added = (make_row(new[name], families[family_of(name)]) for name in new if name not in known)
        return replace(self, rows=(*self.rows, *added))

    def fallbacks(self, model: Model, unavailable: Collection[str]) -> tuple[Model, ...]:
        """Returns the fallback models for `model` in their order, without those whose id is in `unavailable`."""
        found = (self.find(fallback_id) for fallback_id in self.fallback_ids)
        return tuple(other for other in found if other and other.id not in {model.id, *unavailable})
