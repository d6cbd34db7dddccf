"""A year of days on which NVIDIA's models come and go as in 2026: a good one answers for four to ten weeks.

All of it follows from one seed. The ids are new ones that no row of the program knows.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.support.nvidia_catalogue import Catalogue, Offer, read_day

DAYS = 365

_FAMILIES = {
    "z-ai/glm-": (5, 3),
    "minimaxai/minimax-m": (3, 1),
    "moonshotai/kimi-k": (3, 1),
    "stepfun-ai/step-": (5, 0),
    "poolside/laguna-xs-": (2, 1),
    "nvidia/nemotron-": (3, 5),
    "qwen/qwen": (3, 7),
    "mistralai/devstral-": (3, 0),
}
"""Family -> the version before its first one of the year."""
_LIFE_DAYS = (28, 70)
_GAP_DAYS = (-14, 5)
"""The next member of a family answers from so many days after the end of the one before. A family may have a gap."""
_LISTED_AFTER_DAYS = 21
"""The list keeps dead models for so long."""


@dataclass(frozen=True)
class Life:
    """One model, with the first day on which it answers, and the first one on which it does so no more."""

    id: str
    born: int
    dies: int
    calls_tools: bool
    is_served: bool
    """False: this account gets a 404 from it, as from most that NVIDIA lists."""
    busy_share: float

    def offer_on(self, day: int) -> Offer | None:
        """Returns the model as it is on a day; None before NVIDIA lists it. It is listed two days too soon."""
        if day < self.born - 2:
            return None
        is_listed = day < self.dies + _LISTED_AFTER_DAYS
        if day >= self.dies:
            return Offer(self.id, "retired", is_listed=is_listed, retired_on=f"day {self.dies}")
        if day < self.born or not self.is_served:
            return Offer(self.id)
        return Offer(self.id, "answers", calls_tools=self.calls_tools, busy_share=self.busy_share, thinks_tokens=20)


def make_lives(seed: int = 1) -> tuple[Life, ...]:
    """Returns the models of all families, in the order of the families and then of their first days."""
    luck, lives = random.Random(seed), list[Life]()
    for family, first in _FAMILIES.items():
        major, minor = first
        born = luck.randint(-40, -5)
        while born < DAYS:
            major, minor = (major + 1, 0) if luck.random() < 0.25 else (major, minor + 1)
            dies = born + luck.randint(*_LIFE_DAYS)
            size = luck.choice(["", "-flash", "-120b-a12b"])
            lives.append(
                Life(
                    f"{family}{major}.{minor}{size}",
                    born,
                    dies,
                    calls_tools=luck.random() > 0.15,
                    is_served=luck.random() > 0.15,
                    busy_share=luck.choice([0.0, 0.03, 0.22]),
                )
            )
            born = dies + luck.randint(*_GAP_DAYS)
    return tuple(lives)


def play_day(lives: tuple[Life, ...], day: int) -> Catalogue:
    """Returns the catalogue of a day: the models of the year, the choices of the menu, and some that never answer."""
    dead = [offer for offer in read_day("first_day").models if offer.conduct != "answers"]
    dead = [offer for offer in dead if not offer.is_listed or offer.conduct == "hangs"] + dead[::12]
    return Catalogue(()).replace(*dead, *(offer for life in lives if (offer := life.offer_on(day))))
