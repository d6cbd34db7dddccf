"""Draws the icon: a rounded square with the model's letter. Its shape shows the state of the program.

A solid square means running; an outline means starting, stopped, paused or quitting. A triangle at the top means that
the user is needed, a dot at the top that a request is being answered, and a dot at the bottom that request bodies are
logged. Shapes are used because some panels and some people do not show or see colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from tray_app.settings.settings import Settings
from tray_app.status.board import Phase, Status
from tray_app.status.messages import find_trouble
from tray_app.tray.letters import letters_of

SIZE_PX = 64
_OVERSAMPLING = 4
"""The icon is drawn this many times larger, and then made smaller, so that its edges are smooth."""

_GREEN = (118, 185, 0, 255)
_GREY = (130, 130, 130, 255)
_WHITE = (255, 255, 255, 255)
_DARK = (24, 24, 24, 255)
_AMBER = (255, 176, 0, 255)
_BLUE = (64, 150, 255, 255)


@dataclass(frozen=True, slots=True)
class IconState:
    """The facts that the picture depends on."""

    letter: str
    is_solid: bool = True
    needs_attention: bool = False
    is_active: bool = False
    is_logging: bool = False


def read_state(status: Status, settings: Settings) -> IconState:
    """Returns the icon's state for the status and the settings."""
    selected = settings.selected_model
    return IconState(
        letter=letters_of(settings.catalog.offered(selected)).get(selected.id, selected.letter),
        is_solid=status.phase is Phase.RUNNING and not status.is_paused,
        needs_attention=find_trouble(status, settings) is not None,
        is_active=status.active_requests > 0,
        is_logging=settings.log_bodies,
    )


@cache
def draw(state: IconState, size_px: int = SIZE_PX) -> Image.Image:
    """Returns the icon as an RGBA square of `size_px` pixels. Each state and size is drawn only once."""
    size = size_px * _OVERSAMPLING
    image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    canvas = ImageDraw.Draw(image)
    edge = size // 16
    box = (edge, edge, size - edge, size - edge)
    if state.is_solid:
        canvas.rounded_rectangle(box, radius=size // 5, fill=_GREEN)
    else:
        canvas.rounded_rectangle(box, radius=size // 5, outline=_GREY, width=size // 10)
    font = ImageFont.load_default(size=size * 0.62)
    ink = _DARK if state.is_solid else _GREY
    canvas.text(
        (size / 2, size / 2), state.letter, font=font, fill=ink, anchor="mm", stroke_width=size // 64, stroke_fill=ink
    )
    if state.needs_attention:
        _draw_triangle(canvas, size)
    elif state.is_active:
        _draw_dot(canvas, size, centre_y=size * 0.2, fill=_WHITE)
    if state.is_logging:
        _draw_dot(canvas, size, centre_y=size * 0.8, fill=_BLUE)
    return image.resize((size_px, size_px), Image.Resampling.LANCZOS)


def _draw_triangle(canvas: ImageDraw.ImageDraw, size: int) -> None:
    left, top, right, bottom = size * 0.5, 0, size - 1, size * 0.46
    middle = (left + right) / 2
    corners = [(middle, top), (right, bottom), (left, bottom)]
    canvas.polygon(corners, fill=_AMBER, outline=_DARK, width=size // 40)
    canvas.line([(middle, size * 0.17), (middle, size * 0.3)], fill=_DARK, width=size // 18)
    canvas.line([(middle, size * 0.35), (middle, size * 0.4)], fill=_DARK, width=size // 18)


def _draw_dot(canvas: ImageDraw.ImageDraw, size: int, centre_y: float, fill: tuple[int, int, int, int]) -> None:
    centre_x, radius = size * 0.8, size * 0.17
    box = (centre_x - radius, centre_y - radius, centre_x + radius, centre_y + radius)
    canvas.ellipse(box, fill=fill, outline=_DARK, width=size // 32)
