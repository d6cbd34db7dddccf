"""One-time tokens that let a browser in. A token is a private file: whoever may write in the state folder may make one.

So the tray, a terminal and a second start of this program need not talk to each other for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import time
from pathlib import Path

from tray_app.files.atomic import write_whole
from tray_app.files.private import claim_folder, is_private

_FOLDER = "page-tokens"
_LIFE_S = 120.0
"""A token that nobody has used within this time is worthless. A cold browser may need a minute to start."""
_TOKEN_BYTES = 32
_MOST_CHARS = 100


def mint_token(state: Path) -> str:
    """Returns a new token, and notes it in the folder `state`. Old tokens are removed. OSError: it cannot be noted."""
    folder = state / _FOLDER
    claim_folder(folder, ())
    for path in folder.iterdir():
        if not _is_fresh(path):
            with contextlib.suppress(OSError):  # another process has removed it, or it is a folder
                path.unlink()
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    write_whole(_find_file(state, token), b"", is_lasting=False)
    return token


def redeem_token(state: Path, token: str) -> bool:
    """Tells whether a token is good: only the user can have noted it, and lately. It is worthless afterwards."""
    if not token or len(token) > _MOST_CHARS:
        return False
    path = _find_file(state, token)
    is_good = _is_fresh(path) and is_private(path) and is_private(path.parent)
    try:
        path.unlink()  # of two programs that show the same token, one succeeds here
    except OSError:
        return False
    return is_good


def make_address(url: str, token: str, view: str = "") -> str:
    """Returns the address of the page, at a view such as "welcome"; empty: at the first one.

    A browser does not send what follows the #, so that no log has the token.
    """
    return f"{url}/#/{view}?token={token}" if view else f"{url}/#token={token}"


def _find_file(state: Path, token: str) -> Path:
    """Returns the file of a token. Its name is a digest, so that no text of a browser becomes part of a path."""
    return state / _FOLDER / hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _is_fresh(path: Path) -> bool:
    try:
        age_s = time.time() - path.lstat().st_mtime
    except OSError:
        return False
    return abs(age_s) <= _LIFE_S
