"""What may be kept from one run to the next: never a half of it, and never for other inputs than these."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

APP_CACHE = "claude-nvidia-tray-build"


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / APP_CACHE


def keep(name: str, inputs: bytes, make: Callable[[Path], None]) -> Path:
    """The folder that `make` fills from `inputs` (whatever it depends on): the kept one, or a new one.

    It gets its name when it is complete, and replaces those of other inputs.
    """
    root = cache_folder()
    kept = root / f"{name}-{hashlib.sha256(inputs).hexdigest()[:16]}"
    if kept.is_dir():
        return kept
    root.mkdir(parents=True, exist_ok=True)
    half_made = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root))
    try:
        make(half_made)
        for outdated in root.glob(f"{name}-*"):
            shutil.rmtree(outdated)
        half_made.chmod(0o755)
        half_made.rename(kept)
    finally:
        shutil.rmtree(half_made, ignore_errors=True)
    return kept
