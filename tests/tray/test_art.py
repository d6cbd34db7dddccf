"""The icon: each state looks different, by its shape and not by colour alone."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from PIL import Image, ImageChops

from tray_app.catalog import DEFAULTS
from tray_app.settings.settings import Settings
from tray_app.status.board import Phase, Status, Topic, Trouble
from tray_app.status.findings import ModelTrouble, Unavailability
from tray_app.status.progress import Delay, RequestProgress
from tray_app.tray.art import SIZE_PX, IconState, draw, read_state

STATES = [
    IconState(letter, is_solid, needs_attention, is_active and not needs_attention, is_logging)
    for letter in ("G", "M")
    for is_solid, needs_attention, is_active, is_logging in itertools.product([True, False], repeat=4)
    if not (needs_attention and is_active)  # the triangle takes the place of the dot
]


def differing_pixels(one: Image.Image, other: Image.Image) -> int:
    """Returns how many pixels differ clearly."""
    difference = ImageChops.difference(one, other)
    bands = [band.point(lambda value: 255 if value > 60 else 0) for band in difference.split()]
    mask = bands[0]
    for band in bands[1:]:
        mask = ImageChops.lighter(mask, band)
    return mask.histogram()[255]


def test_the_icon_is_a_square_with_an_alpha_channel() -> None:
    for state in STATES:
        image = draw(state)
        assert (image.mode, image.size) == ("RGBA", (SIZE_PX, SIZE_PX))
        assert image.getpixel((0, SIZE_PX - 1)) == (0, 0, 0, 0), "panels show through at the corners"


def test_every_state_can_be_told_from_every_other() -> None:
    for one, other in itertools.combinations(STATES, 2):
        assert differing_pixels(draw(one), draw(other)) > 60, (one, other)


def test_states_can_be_told_without_colour() -> None:
    plain = draw(IconState("G")).convert("L")
    for state in (
        IconState("G", is_solid=False),
        IconState("G", needs_attention=True),
        IconState("G", is_active=True),
        IconState("G", is_logging=True),
        IconState("M"),
    ):
        assert differing_pixels(plain, draw(state).convert("L")) > 30, state


def test_the_small_icon_still_shows_the_letter() -> None:
    small = [draw(IconState(model.letter)).resize((16, 16)) for model in DEFAULTS]
    assert differing_pixels(*small) > 10


def test_a_state_is_drawn_once() -> None:
    assert draw(IconState("G", is_active=True)) is draw(IconState("G", is_active=True))


@pytest.mark.parametrize(
    ("status", "settings", "state"),
    [
        (Status(phase=Phase.RUNNING), Settings(), IconState("G")),
        (Status(phase=Phase.RUNNING), Settings(model="minimaxai/minimax-m2.1"), IconState("M")),
        (Status(), Settings(), IconState("G", is_solid=False)),
        (Status(phase=Phase.RUNNING, is_paused=True), Settings(), IconState("G", is_solid=False)),
        (Status(phase=Phase.STOPPED), Settings(), IconState("G", is_solid=False)),
        (Status(phase=Phase.QUITTING), Settings(), IconState("G", is_solid=False)),
        (Status(phase=Phase.RUNNING, active_requests=3), Settings(), IconState("G", is_active=True)),
        (Status(phase=Phase.RUNNING), Settings(log_bodies=True), IconState("G", is_logging=True)),
    ],
    ids=["running", "MiniMax", "starting", "paused", "stopped", "quitting", "active", "logging"],
)
def test_the_state_of_the_icon_follows_status_and_settings(
    status: Status, settings: Settings, state: IconState
) -> None:
    assert read_state(status, settings) == state
    delayed = RequestProgress("nvidia", delay=Delay.RATE_LIMIT, delayed_s=12)
    waiting = replace(status, requests=(delayed,))
    assert read_state(waiting, settings) == state, "waiting is nothing that the user must mend"
    trouble = replace(status, troubles=((Topic.KEY, Trouble("title", "sentence")),))
    assert read_state(trouble, settings) == replace(state, needs_attention=True)


def test_a_retired_model_needs_attention_while_it_is_the_selected_one() -> None:
    status = Status(phase=Phase.RUNNING, model_troubles=(("z-ai/glm4.7", ModelTrouble(Unavailability.RETIRED)),))
    assert read_state(status, Settings(follow_successors=False)) == IconState("G", needs_attention=True)
    assert read_state(status, Settings()) == IconState("G"), "another model answers for it"
    assert read_state(status, Settings(model="minimaxai/minimax-m2.1")) == IconState("M")


def test_the_icon_of_a_model_differs_from_those_that_are_offered_beside_it() -> None:
    states = [
        read_state(Status(), Settings(model=name)) for name in ("z-ai/glm4.7", "z-ai/glm-5.3-flash", "z-ai/glm-6")
    ]
    assert [state.letter for state in states] == ["G", "5", "6"]
