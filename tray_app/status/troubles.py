"""Every trouble that the menu can show: its title, and the sentence that says how to solve it."""

from __future__ import annotations

from tray_app import sentences
from tray_app.sentences import NO_NVIDIA_KEY, say_not_served, say_retired
from tray_app.shells import name_command
from tray_app.status.board import Trouble
from tray_app.status.findings import ModelTrouble, Unavailability

MISSING_NVIDIA_KEY = Trouble("Add your NVIDIA API key…", NO_NVIDIA_KEY, "set-key", "welcome")
MISSING_SERVER_KEY = Trouble(
    "The server key is missing – fix…",
    "A server key was set, but it is neither in the system keyring nor in the settings file any more, so every request "
    f"is refused. To set a new key, run `{name_command('set-key', '--server')}`. To work without one, run "
    f"`{name_command('set-key', '--server', '--remove')}`.",
)
PAUSED = Trouble("Paused – resume", sentences.PAUSED)
GATEWAY_ENDED = Trouble(
    "Gateway stopped – start it again…",
    "The gateway ended because of a fault in this program; the log says where. "
    "A click on this line of the menu starts it again.",
)


def cannot_listen(sentence: str) -> Trouble:
    """Returns the trouble that the gateway cannot listen on its address. The sentence gives the reason."""
    return Trouble("Not listening – fix…", sentence)


def port_in_use(port: int, sentence: str) -> Trouble:
    """Returns the trouble that another program holds the gateway's port."""
    return Trouble(f"Port {port} is in use – fix…", sentence)


def settings_problem(sentence: str) -> Trouble:
    """Returns the trouble that the settings file, or a part of it, is not used or cannot be written."""
    return Trouble("Settings file has a problem…", sentence, view="settings")


def keyring_silent(reason: str, keys: str) -> Trouble:
    """Returns the trouble that `keys` may be in a silent keyring. `reason` continues "The system keyring ..."."""
    title = "Unlock your keyring…"
    return Trouble(
        title,
        f"The system keyring {reason}, and the {keys} may be in it: requests are refused until it can be read. "
        "Please unlock it. This program asks it again every few minutes, and at once if you click on "
        f'"{title}" in the menu. A key in the environment, or a new one set with `{name_command("set-key")}`, '
        "works without it.",
    )


def key_refused(sentence: str) -> Trouble:
    """Returns the trouble that NVIDIA does not accept the API key."""
    return Trouble("NVIDIA refused the key – fix…", sentence, "set-key", "welcome")


def fallback_answers(chosen: str, fallback: str) -> Trouble:
    """Returns the trouble that another model answers in place of the selected one. Both are given by their labels."""
    return Trouble(
        f"{fallback} answers for {chosen}",
        f"{chosen} refuses to answer, so {fallback} of your fallback list does.",
    )


def model_withdrawn(label: str, trouble: ModelTrouble) -> Trouble:
    """Returns the trouble that NVIDIA has retired the model, or does not serve it to this API key."""
    if trouble.kind is Unavailability.RETIRED:
        return Trouble(f"{label} was retired by NVIDIA", say_retired(label, trouble.date))
    return Trouble(f"{label} is not served by NVIDIA", say_not_served(label))


def stand_in_answers(label: str, trouble: ModelTrouble, stand_in: str) -> Trouble:
    """Returns the news that a stand-in answers for a model that is withdrawn. Both are given by their labels."""
    withdrawn = model_withdrawn(label, trouble)
    return Trouble(
        f"{stand_in} answers for {label}",
        f"{withdrawn.sentence} {stand_in} answers in its place. You can choose another model in the menu.",
    )


def selected_model_withdrawn(label: str, trouble: ModelTrouble, successor: str) -> Trouble:
    """Returns the trouble that the selected model is withdrawn. `successor` is a label; empty: there is none."""
    withdrawn = model_withdrawn(label, trouble)
    choice = f'"Switch to {successor}", or another model,' if successor else "another model"
    sentence = f"{withdrawn.sentence} Choose {choice} in the menu."
    return Trouble(f"{withdrawn.title} – choose a model…", sentence, view="models")
