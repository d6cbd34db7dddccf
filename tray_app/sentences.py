"""Sentences that reach the user by more than one way, such as an error of the client and a trouble in the menu."""

from __future__ import annotations

from tray_app.shells import name_command

NO_NVIDIA_KEY = (
    "Claude NVIDIA Tray has no NVIDIA API key yet. Get one on build.nvidia.com, "
    f"then run `{name_command('set-key')}` in a terminal."
)
HOW_TO_SET_KEY = f"Check the key on build.nvidia.com, then set it with `{name_command('set-key')}`."
WHERE_TO_SET_ADDR = '"addr" in the settings file, or the environment variable ADDR'
PAUSED = "Claude NVIDIA Tray is paused. Resume it in its menu or on its page."
EMPTY_ANSWER = "NVIDIA's answer is empty. Please try again."


def say_silent(timeout_s: float) -> str:
    """Returns the sentence that upstream sent nothing of an answer for so many seconds."""
    return f"NVIDIA sent nothing of an answer for {timeout_s} s. Please try again."


def say_retired(label: str, date: str = "") -> str:
    """Returns the sentence that NVIDIA withdrew the model for everybody.

    `date` is the ISO date since when, or only year and month; empty if it is unknown.
    """
    word = "in" if len(date) == len("2026-05") else "on"
    return f"NVIDIA retired {label} {word} {date}." if date else f"NVIDIA retired {label}."


def say_not_served(label: str) -> str:
    """Returns the sentence that the user's API key does not include the model."""
    return f"NVIDIA does not serve {label} to your API key."
