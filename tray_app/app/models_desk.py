"""Changes for the page what is offered, and what is known of models. Only the job thread uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tray_app.app.settings_desk import SettingsDesk
from tray_app.app.supervisor import GatewaySupervisor
from tray_app.errors import SettingsError
from tray_app.page.actions import CorrectModel, HideModel, ModelAction, OrderModels, PutInMenu, UseInBackground
from tray_app.settings.model_entries import Entries, correct_model, find_wrong_facts, put_in_menu
from tray_app.settings.store import SettingsStore


class ModelsDesk:
    """The models of the user, as the page changes them. Each change is one of the settings file."""

    def __init__(self, store: SettingsStore, supervisor: GatewaySupervisor, settings_desk: SettingsDesk) -> None:
        self._store = store
        self._supervisor = supervisor
        self._settings_desk = settings_desk

    def carry_out(self, action: ModelAction) -> dict[str, Any]:
        """Returns `errors`, a sentence for each wrong fact of a model by the name of the fact; empty: it is done.

        `problem` says why the change is not in the file; empty: it is. SettingsError says why a change is refused.
        """
        if self._store.refresh():  # what is changed is what the file says now
            self._supervisor.apply()
        current = self._store.current
        match action:
            case CorrectModel(model_id, facts):
                if errors := find_wrong_facts(model_id, facts):
                    return {"errors": errors, "problem": ""}
                return self._change({"models": correct_model(self._entries, model_id, facts)})
            case PutInMenu(model_id, is_in):
                return self._change({"models": put_in_menu(self._entries, model_id, is_in=is_in)})
            case HideModel(model_id, is_hidden):
                others = [hidden for hidden in current.hidden_models if hidden != model_id]
                return self._change({"hidden_models": [*others, model_id] if is_hidden else others})
            case OrderModels(model_ids):
                return self._change({"model_order": list(dict.fromkeys((*model_ids, *current.model_order)))})
            case UseInBackground(model_id):
                return self._change({"background_model": model_id})

    @property
    def _entries(self) -> Entries:
        entries = self._store.model_entries
        if not isinstance(entries, list):
            raise SettingsError('"models" in the settings file is no list. Correct it there first.')
        return entries

    def _change(self, changes: Mapping[str, object]) -> dict[str, Any]:
        result = self._settings_desk.change(changes, is_trial=False)
        if result["errors"]:
            raise SettingsError(" ".join(result["errors"].values()))
        return {"errors": {}, "problem": result["problem"]}
