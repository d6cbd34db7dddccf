"""Families of models, read from their ids: a new member gets a row like the one that is nearest to it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from tray_app.catalog.model import EarlierThinking, Model
from tray_app.catalog.names import plain_name

UNKNOWN = Model(
    id="",
    label="",
    letter="",
    context_tokens=131_072,
    max_output_tokens=8_192,
    takes_required_tool_choice=False,
    earlier_thinking=EarlierThinking.LEFT_OUT,
    source="assumed: each value is safe for every model",
)
"""The assumed facts of a model of an unknown family."""

MAX_LABEL_CHARS = 40
"""The most characters of a label, which is what fits into a menu."""

_NUMBER = re.compile(r"[0-9]+(?:[._][0-9]+)*")
_SIZE_MARK = re.compile(r"(?:x[0-9]+)?[bkm](?![a-z])")
"""What follows a number that is no version: "30b" and "8x7b" are parameters, "128k" is a window."""
_UPPER_CASE = re.compile(r"[a-z]?[0-9][0-9._]*(?:x[0-9]+)?[a-z]?|[^aeiouy0-9]{1,3}")
"""Words of an id that are written in upper case: "120b", "a12b", "v2", "vl", "xs"."""
_MOST_DIGITS = 9
"""So many digits of a number count. Python refuses to read thousands of them."""


def family_of(model_id: str) -> str:
    """Returns the vendor and the letters of the name before its first digit, such as "z-ai/glm" for "z-ai/glm-5.3".

    A name that begins with a digit is a family of its own.
    """
    plain = plain_name(model_id)
    vendor, slash, name = plain.rpartition("/")
    letters = re.split(r"[0-9]", name, maxsplit=1)[0].rstrip("-_. ")
    return f"{vendor}{slash}{letters}" if letters else plain


def version_of(model_id: str) -> tuple[int, ...]:
    """Returns the numbers of the version, such as (5, 3) for "z-ai/glm-5.3-flash"; empty if the name has none.

    A number of parameters, as in "muse-30b", is no version.
    """
    name = plain_name(model_id).rpartition("/")[2]
    for found in _NUMBER.finditer(name):
        if not _SIZE_MARK.match(name, found.end()):
            return tuple(int(digits[:_MOST_DIGITS]) for digits in re.split(r"[._]", found[0]))
    return ()


def row_by_family(model_id: str, rows: Iterable[Model]) -> Model:
    """Returns a row for an id that no row knows: like the nearest row of its family, else with cautious facts."""
    family = family_of(model_id)
    return make_row(model_id, [row for row in rows if family_of(row.id) == family])


def make_row(model_id: str, relatives: list[Model]) -> Model:
    """Returns a row for an id, given the rows of its family.

    The nearest relative is the newest one that is not newer than the id, else the oldest. What differs from it becomes
    known when the model refuses something. That it sees images is not assumed, because many members of families do not.
    """
    version = version_of(model_id)
    older = [row for row in relatives if version_of(row.id) <= version]
    like = max(older, key=_age) if older else min(relatives, key=_age, default=UNKNOWN)
    label = _make_label(model_id, like.label)
    return replace(
        like,
        id=model_id,
        label=label,
        letter=like.letter or first_letter(label),
        takes_images=False,
        successor="",
        in_menu=False,
        retired_on="",
        source=f"assumed: like {like.label}" if like.label else UNKNOWN.source,
    )


def first_letter(label: str) -> str:
    """Returns the letter for the icon, which is the first letter or digit of a label that is not empty."""
    return next(filter(str.isalnum, label), label)[:1].upper()[:1]


def _age(row: Model) -> tuple[tuple[int, ...], bool]:
    """Sorts rows from the oldest to the newest. Of two with one version, the one that is still served is newer."""
    return version_of(row.id), not row.retired_on


def _make_label(model_id: str, like: str) -> str:
    """Returns a label that is made from the id. Before the first digit it is spelled as in the label `like`."""
    name = model_id.rpartition("/")[2]
    spelling, name_digit = re.match(r"[^0-9]*(?=[0-9])", like), re.search(r"[0-9]", name)
    begin, rest = (spelling[0], name[name_digit.start() :]) if spelling and name_digit else ("", name)
    words = (word for word in re.split(r"[-_ ]+", re.sub(r"(?<=[0-9])_(?=[0-9])", ".", rest)) if word)
    spelled = (word.upper() if _UPPER_CASE.fullmatch(word) else word[:1].upper() + word[1:] for word in words)
    return (begin + " ".join(spelled))[:MAX_LABEL_CHARS].strip() or model_id[:MAX_LABEL_CHARS]
