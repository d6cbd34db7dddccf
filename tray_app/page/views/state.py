"""What every view of the page shows: the model, the trouble, and what is switched on. It changes seldom."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tray_app import APP_NAME, __version__
from tray_app.history.sums import DaySum
from tray_app.page.actions import PageFacts
from tray_app.settings.config import GatewayConfig
from tray_app.status.board import Status, Topic
from tray_app.status.findings import ModelTrouble
from tray_app.status.following import find_absence, find_answering, label_choice
from tray_app.status.messages import explain_stand_in, find_notice


def show_state(config: GatewayConfig, status: Status, facts: PageFacts, today: DaySum | None) -> dict[str, Any]:
    """Returns the state as plain values. `today`: the requests of today to all models; None: no history is kept."""
    settings = config.settings
    selected = settings.selected_model
    answering, absence = find_answering(selected, status, settings), find_absence(selected, status)
    notice, news = find_notice(status, settings), explain_stand_in(status, settings)
    return {
        "app": {"name": APP_NAME, "version": __version__, "url": status.url, "is_demo": config.is_demo},
        "key": {
            "has": bool(config.keys.nvidia),
            "is_unknown": config.keys.is_nvidia_unknown,
            "is_refused": Topic.REFUSED_KEY in dict(status.troubles),
        },
        "needs_user": _needs_user(config, status, facts),
        "notice": {"title": notice.title, "sentence": notice.sentence, "verb": notice.verb} if notice else None,
        "stand_in": {"title": news.title, "sentence": news.sentence} if news else None,
        "model": {
            "id": selected.id,
            "label": selected.label,
            "answering": {"id": answering.id, "label": answering.label},
            "absence": show_absence(absence),
            "choices": [
                {"id": model.id, "label": model.label, "says": label_choice(model, status, settings)}
                for model in settings.catalog.offered(selected)
            ],
        },
        "today": _describe_sum(today),
        "look": {"finished": status.look.finished, "left": status.look.left},
        "is_paused": status.is_paused,
        "log_bodies": settings.log_bodies,
        "keep_history": settings.keep_history,
        "facts": asdict(facts),
    }


def show_absence(absence: ModelTrouble | None) -> dict[str, str] | None:
    """Returns why a model is not expected to answer, as plain values; None: nothing speaks against it."""
    return {"kind": absence.kind.value, "date": absence.date} if absence else None


def _needs_user(config: GatewayConfig, status: Status, facts: PageFacts) -> bool:
    """Tells whether the page begins with the welcome: it was not finished, or the key is missing or refused."""
    if config.is_demo:
        return facts.needs_welcome
    lacks_key = not config.keys.nvidia and not config.keys.is_nvidia_unknown
    return facts.needs_welcome or lacks_key or Topic.REFUSED_KEY in dict(status.troubles)


def _describe_sum(today: DaySum | None) -> dict[str, Any] | None:
    if today is None:
        return None
    return {
        "requests": today.requests,
        "answered": today.answered,
        "failed": today.failed,
        "left_early": today.left_early,
        "refused": today.refused,
        "tokens_in": today.tokens_in,
        "tokens_out": today.tokens_out,
        "tokens_cached": today.tokens_cached,
        "success_rate": today.success_rate,
        "first_token_p50_s": today.first_token_s(50),
        "first_token_p95_s": today.first_token_s(95),
    }
