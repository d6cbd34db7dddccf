"""The program's icon as files, drawn as the tray draws it: .png in every size, .ico for Windows, .icns for macOS."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script's own folder is on the path, not the checkout
from tray_app import APP_ID
from tray_app.tray import art

SIZES_PX = (16, 20, 24, 32, 40, 48, 64, 128, 256)
STATE = art.IconState("C")


def write_icons(folder: Path) -> None:
    """Writes APP_ID.ico, APP_ID.icns and SIZE.png for each of SIZES_PX into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {size: art.draw(STATE, size) for size in (*SIZES_PX, 512)}
    for size in SIZES_PX:
        pictures[size].save(folder / f"{size}.png")
    largest = SIZES_PX[-1]
    pictures[largest].save(
        folder / f"{APP_ID}.ico",
        sizes=[(size, size) for size in SIZES_PX],
        append_images=[pictures[size] for size in SIZES_PX[:-1]],
    )
    pictures[512].save(folder / f"{APP_ID}.icns", append_images=[pictures[size] for size in (16, 32, 64, 128, 256)])


if __name__ == "__main__":
    write_icons(Path(sys.argv[1]))
