"""Every trouble that the menu can show: its title, and the sentence that says how to solve it."""

from __future__ import annotations

from tray_app.sentences import NO_NVIDIA_KEY, say_not_served, say_retired
from tray_app.status.board import ModelTrouble, Trouble, Unavailability, Wait

MISSING_NVIDIA_KEY = Trouble("Add your NVIDIA API key…", NO_NVIDIA_KEY, "set-key")
MISSING_SERVER_KEY = Trouble(
    "The server key is missing – fix…",
    "A server key was set, but it is neither in the system keyring nor in the settings file any more, so every request "
    "is refused. To set a new key, run `claude-nvidia-tray set-key --server`. To work without one, run "
    "`claude-nvidia-tray set-key --server --remove`.",
)
GATEWAY_ENDED = Trouble(
    "Gateway stopped – start it again…",
    "The gateway ended because of a fault in this program; the log says where. "
    "A click on this line of the menu starts it again.",
)


def cannot_listen(sentence: str) -> Trouble:
    """The gateway cannot listen on its address, for the reason that the sentence gives."""
    return Trouble("Not listening – fix…", sentence)


def port_in_use(port: int, sentence: str) -> Trouble:
    """Another program holds the gateway's port."""
    return Trouble(f"Port {port} is in use – fix…", sentence)


def settings_problem(sentence: str) -> Trouble:
    """The settings file, or a part of it, is not used or cannot be written."""
    return Trouble("Settings file has a problem…", sentence)


def keyring_silent(reason: str, keys: str) -> Trouble:
    """The keyring cannot be read, and `keys` may be in it. `reason` continues "The system keyring ..."."""
    title = "Unlock your keyring…"
    return Trouble(
        title,
        f"The system keyring {reason}, and the {keys} may be in it: requests are refused until it can be read. "
        "Please unlock it. This program asks it again every few minutes, and at once if you click on "
        f'"{title}" in the menu. A key in the environment, or a new one set with `claude-nvidia-tray set-key`, '
        "works without it.",
    )


def key_refused(sentence: str) -> Trouble:
    """NVIDIA does not accept the API key."""
    return Trouble("NVIDIA refused the key – fix…", sentence, "set-key")


def fallback_answers(chosen: str, fallback: str) -> Trouble:
    """Another model answers in the place of the chosen one. Both are given by their labels."""
    return Trouble(
        f"{fallback} answers for {chosen}",
        f"{chosen} refuses to answer, so {fallback} of your fallback list does.",
    )


def waiting(wait: Wait) -> Trouble:
    """Requests wait for NVIDIA's rate limit."""
    share = f"{wait.used} of {wait.limit}" if wait.limit else f"{wait.used}"
    wait_word = "waits" if wait.waiting == 1 else "wait"
    return Trouble(
        f"Waiting for NVIDIA's rate limit, {wait.longest_s} s",
        f"{share} requests this minute went to {wait.model}; {wait.waiting} {wait_word}. "
        "Nothing is lost: they go on by themselves. Fewer agents at once wait less.",
    )


def model_withdrawn(label: str, trouble: ModelTrouble) -> Trouble:
    """NVIDIA has retired the model, or does not serve it to this key. No other kind of trouble has a sentence."""
    if trouble.kind is Unavailability.RETIRED:
        return Trouble(f"{label} was retired by NVIDIA", say_retired(label, trouble.date))
    return Trouble(f"{label} is not served by NVIDIA", say_not_served(label))


def selected_model_withdrawn(label: str, trouble: ModelTrouble, successor: str) -> Trouble:
    """NVIDIA has withdrawn the selected model. `successor`: the label of the model to switch to; empty: none."""
    withdrawn = model_withdrawn(label, trouble)
    choice = f'"Switch to {successor}", or another model,' if successor else "another model"
    return Trouble(f"{withdrawn.title} – choose a model…", f"{withdrawn.sentence} Choose {choice} in the menu.")
