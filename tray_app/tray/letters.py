"""Gives each model that the menu offers a letter or digit of its own for the icon, so that a click changes the icon."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from tray_app.catalog import Model

_WORD = re.compile(r"[^\W\d_]+|\d+")


def letters_of(models: Iterable[Model]) -> dict[str, str]:
    """Returns the letter or digit of each model by its id; they differ as far as the labels allow it.

    A model keeps its own letter unless it is that of an earlier one. Else it gets the first character of a word or
    number in its label, if possible of one that no other label has: "5" for GLM 5.3 beside GLM 4.7, "S" for Nemotron 3
    Super beside Nemotron 3 Ultra. If all are taken, it gets another letter of its label, and at last its own.
    """
    models = tuple(models)
    owners = {model.letter: model.id for model in reversed(models)}  # of two models with one letter, the first owns it
    initials = {model.id: [word[0].upper() for word in _WORD.findall(model.label)] for model in models}
    common = Counter(initial for found in initials.values() for initial in set(found))
    letters, taken = dict[str, str](), set(owners)
    for model in models:
        telling = sorted(initials[model.id], key=lambda initial: common[initial] > 1)
        rest = (character.upper() for character in model.label if character.isalnum())
        is_owner = owners[model.letter] == model.id
        free = (letter for letter in (*telling, *rest) if letter not in taken)
        letters[model.id] = model.letter if is_owner else next(free, model.letter)
        taken.add(letters[model.id])
    return letters
